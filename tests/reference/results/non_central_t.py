"""The non-central t distribution by mpmath, for the reference values of results/statistics/power.h and of the
intervals of Hedges' g. Nothing is shared with Boost, on which SciPy's own non-central t is built.
"""
import mpmath as mp

mp.mp.dps = 30


def above(t, df, delta):
    """P(T > t) = E over s of Phi(delta - t s), s = chi / sqrt(df): Gauss-Legendre between points
    that are close both about s = 1 and where Phi steps from 1 to 0."""
    t, df, delta = mp.mpf(t), mp.mpf(df), mp.mpf(delta)
    width = 1 / mp.sqrt(2 * df)
    points = [1 + step * width for step in range(-14, 31, 2)]
    if t != 0:
        points += [(delta + step) / t for step in range(-14, 15, 2)]
    last = 1 + 30 * width
    points = sorted({mp.mpf(0), *(p for p in points if 0 < p <= last)})
    log_norm = mp.log(2) + df / 2 * mp.log(df / 2) - mp.loggamma(df / 2)

    def integrand(s):
        if s == 0:
            return mp.mpf(0)
        return mp.exp(log_norm + (df - 1) * mp.log(s) - df * s * s / 2) * mp.ncdf(delta - t * s)

    value, error = mp.quad(integrand, points, method="gauss-legendre", maxdegree=5, error=True)
    assert error < mp.mpf(10) ** -14 * value + mp.mpf(10) ** -25, (t, df, delta, value, error)
    return value


def below(t, df, delta):
    """P(T <= t), as the upper tail of -T."""
    return above(-mp.mpf(t), df, -mp.mpf(delta))


def p_two_sided(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def p_above(t, df):
    """P(T > t) of the central t distribution."""
    half = p_two_sided(t, df) / 2
    return half if t >= 0 else 1 - half


def quantile(p, df):
    """The t > 0 with P(|T| > t) = p."""
    df, p = mp.mpf(df), mp.mpf(p)
    low, high = mp.mpf(0), mp.mpf(1)
    while p_two_sided(high, df) > p:
        low, high = high, 2 * high
    return mp.findroot(lambda t: mp.log(p_two_sided(t, df) / p), (low + mp.mpf("1e-9"), high),
                       solver="anderson", tol=mp.mpf(10) ** -40)


def secant(function, start, step):
    """A root near start, to 20 digits of its size or of 1."""
    x0, x1 = mp.mpf(start) - step, mp.mpf(start) + step
    f0, f1 = function(x0), function(x1)
    for _ in range(60):
        if f1 == f0:
            break
        x0, f0, x1 = x1, f1, x1 - f1 * (x1 - x0) / (f1 - f0)
        if abs(x1 - x0) <= mp.mpf(10) ** -20 * max(abs(x1), mp.mpf(10) ** -3):
            return x1
        f1 = function(x1)
    assert abs(x1 - x0) <= mp.mpf(10) ** -15 * max(abs(x1), mp.mpf(10) ** -3), (start, x0, x1)
    return x1
