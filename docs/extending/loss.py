def sparsity_loss(Z):
    r"""Mean size of latent positions, :math:`\frac{1}{Bc} \sum_{ik} |z_{ik}|`.

    Parameters
    ----------
    Z : Tensor of shape (n_samples, n_components)
        Latent positions.

    Returns
    -------
    loss : Tensor of shape ()
        0 for no rows.
    """
    if Z.shape[0] == 0:
        # A sum over no rows is a 0 that has a gradient; their mean would be NaN.
        return Z.sum()
    return Z.abs().mean()
