"""Roots of many small real polynomials."""

import math

import numpy as np

from sklearn_ser.features._egemaps._compiled import compiled, inlined

__all__ = ["polynomial_roots"]

_MAX_STEPS = 60
_TOLERANCE = 1e-6


# Complex numbers are pairs of real ones here. The complex division and square root of numba
# guard against overflow, which would take most of the time and which coefficients of
# predictors never cause.


@compiled
def _evaluate(c, degree, x, y):
    """Value, first derivative and half the second of c[0] z^degree + … at z = x + iy."""
    # Horner's scheme, three times at once.
    pr, pi, fr, fi, sr, si = c[0], 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(1, degree + 1):
        sr, si = sr * x - si * y + fr, sr * y + si * x + fi
        fr, fi = fr * x - fi * y + pr, fr * y + fi * x + pi
        pr, pi = pr * x - pi * y + c[i], pr * y + pi * x
    return pr, pi, fr, fi, sr, si


@inlined
def _square_root(x, y):
    """Square root of x + iy with a non-negative real part."""
    a = math.sqrt(0.5 * (math.sqrt(x * x + y * y) + abs(x)))
    b = 0.5 * y / a if a > 0 else 0.0
    if x >= 0:
        return a, b
    return abs(b), a if y >= 0 else -a


@inlined
def _laguerre(c, degree):
    """Iterate from 0 to a root, usually one of the smallest, which keeps deflation stable."""
    x = y = 0.0
    for _ in range(_MAX_STEPS):
        pr, pi, fr, fi, sr, si = _evaluate(c, degree, x, y)
        size = pr * pr + pi * pi
        if size == 0:
            break
        # G = p'/p, H = G^2 - p''/p; the step is n / (G ± sqrt((n - 1) (n H - G^2))).
        gr, gi = (fr * pr + fi * pi) / size, (fi * pr - fr * pi) / size
        g2r, g2i = gr * gr - gi * gi, 2 * gr * gi
        hr = g2r - 2 * (sr * pr + si * pi) / size
        hi = g2i - 2 * (si * pr - sr * pi) / size
        n = float(degree)
        qr, qi = _square_root((n - 1) * (n * hr - g2r), (n - 1) * (n * hi - g2i))
        # The sign that makes the denominator larger, and hence the step shorter.
        sign = 1.0 if gr * qr + gi * qi >= 0 else -1.0
        dr, di = gr + sign * qr, gi + sign * qi
        size = dr * dr + di * di
        # All derivatives vanish: leave this point in any direction.
        step_x, step_y = (n * dr / size, -n * di / size) if size > 0 else (0.5, 0.5)
        x, y = x - step_x, y - step_y
        if step_x * step_x + step_y * step_y <= 1e-20 * (x * x + y * y):
            break
    return x, y


@inlined
def _deflate_pair(c, degree, s, q):
    """Divide by x^2 - s x + q in place."""
    # A conjugate pair goes at once, so that the remainder stays real and its roots in pairs.
    c[1] += s * c[0]
    for i in range(2, degree - 1):
        c[i] += s * c[i - 1] - q * c[i - 2]


@compiled
def _polish(c, degree, x, y):
    """One Newton step, on the full polynomial: it removes the errors of deflation."""
    pr, pi, fr, fi, _, _ = _evaluate(c, degree, x, y)
    size = fr * fr + fi * fi
    if size > 0:
        x, y = x - (pr * fr + pi * fi) / size, y - (pi * fr - pr * fi) / size
    return x, y


@inlined
def _confirmed(full, roots):
    """Return whether the roots have the sum and the product that the coefficients require."""
    n = len(roots)
    total, scale = 0.0, 1.0
    pr, pi = 1.0, 0.0
    for i in range(n):
        x, y = roots[i, 0], roots[i, 1]
        total += x
        scale += abs(x) + abs(y)
        pr, pi = pr * x - pi * y, pr * y + pi * x
    wanted = full[n] if n % 2 == 0 else -full[n]
    return abs(total + full[1]) <= _TOLERANCE * scale and abs(pr - wanted) + abs(
        pi
    ) <= _TOLERANCE * abs(wanted)


@inlined
def _solve(full, c, out):
    """Write the roots of one monic polynomial; `c` is work space."""
    n = len(full) - 1
    for i in range(n + 1):
        c[i] = full[i]
    degree = n
    while degree > 0:
        x, y = _laguerre(c, degree) if degree > 1 else (-c[1] / c[0], 0.0)
        # Less than this is rounding: a root of a real polynomial is real or one of a pair.
        if degree > 1 and abs(y) > 1e-9 * abs(x):
            _deflate_pair(c, degree, 2 * x, x * x + y * y)
            x, y = _polish(full, n, x, y)
            out[degree - 1, 0], out[degree - 1, 1] = x, y
            out[degree - 2, 0], out[degree - 2, 1] = x, -y
            degree -= 2
        else:
            for i in range(1, degree):
                c[i] += x * c[i - 1]
            out[degree - 1, 0], out[degree - 1, 1] = _polish(full, n, x, 0.0)[0], 0.0
            degree -= 1


@compiled
def _solve_kernel(coefficients, full, work, out, confirmed):
    n, order = coefficients.shape
    full[0] = 1
    for t in range(n):
        for i in range(order):
            full[i + 1] = coefficients[t, i]
        _solve(full, work, out[t])
        confirmed[t] = _confirmed(full, out[t])


def _solve_all(coefficients):
    n, order = coefficients.shape
    out, confirmed = np.empty((n, order, 2)), np.empty(n, np.bool_)
    _solve_kernel(coefficients, np.empty(order + 1), np.empty(order + 1), out, confirmed)
    return out.view(np.complex128)[:, :, 0], confirmed


def _eigenvalues(coefficients):
    n, order = coefficients.shape
    companion = np.zeros((n, order, order))
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1
    companion[:, 0] = -coefficients
    return np.linalg.eigvals(companion)


def polynomial_roots(coefficients):
    """Find all roots of z^n + c_1 z^(n-1) + … + c_n, for every row of coefficients.

    Laguerre's method with deflation by real factors and one Newton step on the
    full polynomial. The sum and the product of the roots are checked against
    c_1 and c_n. Where they differ by more than one part in a million, the
    eigenvalues of the companion matrix are used instead.

    Parameters
    ----------
    coefficients : ndarray of shape (n_polynomials, n)

    Returns
    -------
    ndarray of shape (n_polynomials, n), dtype complex128
        In no particular order.
    """
    roots, confirmed = _solve_all(np.ascontiguousarray(coefficients, np.float64))
    if not confirmed.all():
        roots[~confirmed] = _eigenvalues(coefficients[~confirmed])
    return roots
