"""The error function, vectorised over NumPy arrays (SciPy is not a dependency).

Source: ``s_erf.c`` of fdlibm (Sun Microsystems, 1993), whose rational approximations have a
relative error below 2**-56 on each interval; evaluated in float64.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgenn.ir.tensor import Array

Floats = NDArray[np.float64]

# Coefficients from the constant term up; names as in fdlibm. Denominators begin with 1.
_ERX = 8.45062911510467529297e-01
_PP = (
    1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
    -5.77027029648944159157e-03, -2.37630166566501626084e-05,
)  # fmt: skip
_QQ = (
    1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
    1.32494738004321644526e-04, -3.96022827877536812320e-06,
)  # fmt: skip
_PA = (
    -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
    3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
    -2.16637559486879084300e-03,
)  # fmt: skip
_QA = (
    1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
    1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02,
)  # fmt: skip
_RA = (
    -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
    -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
    -8.12874355063065934246e+01, -9.81432934416914548592e+00,
)  # fmt: skip
_SA = (
    1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
    6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02,
    6.57024977031928170135e+00, -6.04244152148580987438e-02,
)  # fmt: skip
_RB = (
    -9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
    -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
    -4.83519191608651397019e+02,
)  # fmt: skip
_SB = (
    1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
    3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02,
    -2.24409524465858183362e+01,
)  # fmt: skip

_FIRST, _SECOND, _THIRD = 0.84375, 1.25, 1 / 0.35
_UNDERFLOW = 28.0


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    result = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result *= x
        result += coefficient
    return result


def _ratio(numerator: Sequence[float], denominator: Sequence[float], x: Floats) -> Floats:
    return _polynomial(numerator, x) / _polynomial(denominator, x)


def _tail(x: Floats, numerator: Sequence[float], denominator: Sequence[float]) -> Floats:
    """``erfc(x)`` for x >= 1.25."""
    # z*z is exact in float64, so that exp() gets no rounding error of x*x
    z = x.astype(np.float32).astype(np.float64)
    correction = _ratio(numerator, denominator, 1 / (x * x))
    tail: Floats = np.exp(-z * z - 0.5625) * np.exp((z - x) * (z + x) + correction) / x
    return tail


def _erfc_of_magnitude(x: Floats) -> Floats:
    """``erfc(x)`` for x >= 0."""
    result = np.zeros_like(x)
    small = x < _FIRST
    y = x[small]
    result[small] = 1 - (y + y * _ratio(_PP, _QQ, y * y))
    middle = (x >= _FIRST) & (x < _SECOND)
    y = x[middle]
    result[middle] = (1 - _ERX) - _ratio(_PA, _QA, y - 1)
    third = (x >= _SECOND) & (x < _THIRD)
    result[third] = _tail(x[third], _RA, _SA)
    far = (x >= _THIRD) & (x < _UNDERFLOW)
    result[far] = _tail(x[far], _RB, _SB)
    result[np.isnan(x)] = np.nan
    return result


def erfc(x: Array) -> Floats:
    """``1 - erf(x)`` in float64, without cancellation for large x."""
    x = np.asarray(x, np.float64)
    magnitude = _erfc_of_magnitude(np.abs(x))
    result: Floats = np.where(x < 0, 2 - magnitude, magnitude)
    return result
