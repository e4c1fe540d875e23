"""Roots of many small real polynomials."""

import math

import numpy as np

from sklearn_ser.features._compiled import compiled

__all__ = ["polynomial_roots"]

_MAX_STEPS = 60
_TOLERANCE = 1e-6


@compiled
def _evaluate(c, degree, x):
    """Value, first derivative and half the second of c[0] x^degree + … + c[degree]."""
    p = complex(c[0], 0.0)
    first = complex(0.0, 0.0)
    second = complex(0.0, 0.0)
    for i in range(1, degree + 1):
        second = second * x + first
        first = first * x + p
        p = p * x + c[i]
    return p, first, second


@compiled
def _size(x):
    return x.real * x.real + x.imag * x.imag


@compiled
def _laguerre(c, degree):
    """Iterate from 0 to a root, one of the smallest as a rule, which keeps deflation stable."""
    x = complex(0.0, 0.0)
    for _ in range(_MAX_STEPS):
        p, first, second = _evaluate(c, degree, x)
        if _size(p) == 0:
            return x
        g = first / p
        h = g * g - 2 * second / p
        root = np.sqrt((degree - 1) * (degree * h - g * g))
        plus, minus = g + root, g - root
        denominator = plus if _size(plus) >= _size(minus) else minus
        # A stationary point: leave it in any direction.
        step = degree / denominator if _size(denominator) > 0 else complex(0.5, 0.5)
        x = x - step
        if _size(step) <= 1e-20 * _size(x):
            return x
    return x


@compiled
def _deflate_pair(c, degree, s, q):
    """Divide by x^2 - s x + q in place."""
    c[1] += s * c[0]
    for i in range(2, degree - 1):
        c[i] += s * c[i - 1] - q * c[i - 2]


@compiled
def _polish(c, degree, x):
    p, first, _ = _evaluate(c, degree, x)
    return x - p / first if _size(first) > 0 else x


@compiled
def _solve(full, c, out):
    """Write the roots of one monic polynomial; say whether sum and product confirm them."""
    n = len(full) - 1
    c[:] = full
    degree = n
    while degree > 0:
        x = _laguerre(c, degree) if degree > 1 else complex(-c[1] / c[0], 0.0)
        if degree > 1 and abs(x.imag) > 1e-9 * abs(x.real):
            _deflate_pair(c, degree, 2 * x.real, _size(x))
            x = _polish(full, n, x)
            out[degree - 1] = x
            out[degree - 2] = x.conjugate()
            degree -= 2
        else:
            real = x.real
            for i in range(1, degree):
                c[i] += real * c[i - 1]
            out[degree - 1] = complex(_polish(full, n, complex(real, 0.0)).real, 0.0)
            degree -= 1
    total, product, scale = complex(0.0, 0.0), complex(1.0, 0.0), 1.0
    for i in range(n):
        total += out[i]
        product *= out[i]
        scale += math.sqrt(_size(out[i]))
    wanted = full[n] if n % 2 == 0 else -full[n]
    off = math.sqrt(_size(product - wanted))
    return math.sqrt(_size(total + full[1])) <= _TOLERANCE * scale and off <= _TOLERANCE * abs(
        wanted
    )


@compiled
def _solve_all(coefficients):
    n, order = coefficients.shape
    out = np.empty((n, order), np.complex128)
    confirmed = np.empty(n, np.bool_)
    full = np.empty(order + 1)
    work = np.empty(order + 1)
    full[0] = 1
    for t in range(n):
        full[1:] = coefficients[t]
        confirmed[t] = _solve(full, work, out[t])
    return out, confirmed


def _eigenvalues(coefficients):
    n, order = coefficients.shape
    companion = np.zeros((n, order, order))
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1
    companion[:, 0] = -coefficients
    return np.linalg.eigvals(companion)


def polynomial_roots(coefficients):
    """Find all roots of z^n + c_1 z^(n-1) + … + c_n, for every row of coefficients.

    Laguerre's method with deflation by real factors and one Newton step on the
    full polynomial. Sum and product of the roots are checked against c_1 and
    c_n; where they disagree by more than one part in a million, the
    eigenvalues of the companion matrix take their place.

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
