"""How often each duration came: durations are whole nanoseconds, so this is as exact as the values and much smaller."""
import base64
import collections
import json
import math
import statistics
import zlib

from harness import model

# For ci95, as R's qnorm(0.975).
NORMAL_975 = statistics.NormalDist().inv_cdf(0.975)


def pack(counts):
    values = sorted(counts)
    raw = json.dumps([values, [counts[value] for value in values]], separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(raw)).decode()


def unpack(text):
    values, counts = json.loads(zlib.decompress(base64.b64decode(text)))
    return collections.Counter(dict(zip(values, counts)))


def quantile(ordered, total, share):
    """R's type 7, its default: between the values left and right of share * (n - 1). `ordered` are pairs of value and count."""
    place = share * (total - 1)
    left, weight = int(place), place - int(place)
    before, low = 0, None
    for value, count in ordered:
        before += count
        if low is None and before > left:
            low = value
        if before > left + (weight > 0):
            return low + weight * (value - low)
    raise ValueError("no values")


def moobench(counts, depth):
    """MooBench's statistics: microseconds a method call."""
    ordered, total = sorted(counts.items()), sum(counts.values())
    unit = 1000 * depth
    mean = sum(value * count for value, count in ordered) / total
    squares = math.fsum(count * (value - mean) ** 2 for value, count in ordered)
    sd = math.sqrt(squares / (total - 1)) if total > 1 else math.nan
    q1, median, q3 = (quantile(ordered, total, share) / unit for share in (0.25, 0.5, 0.75))
    return model.MooBenchStatistics(mean=mean / unit, sd=sd / unit, ci95=NORMAL_975 * sd / unit / math.sqrt(total),
                                    q1=q1, median=median, q3=q3, max=ordered[-1][0] / unit, min=ordered[0][0] / unit)
