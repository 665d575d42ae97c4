"""Bodies that attract each other, in a frictionless sky: floating point in loops, a call now and then."""
import math

# Solar masses, astronomical units, years: x, y, z, vx, vy, vz, mass (rounded).
START = [
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.478),
    (4.84, -1.16, -0.10, 0.61, 2.81, -0.025, 0.0377),
    (8.34, 4.12, -0.40, -1.01, 1.82, 0.0084, 0.0113),
    (12.89, -15.11, -0.22, 1.08, 0.87, -0.0108, 0.00172),
    (15.38, -25.92, 0.18, 0.98, 0.59, -0.0348, 0.00203),
]


def advance(bodies, pairs, step):
    for one, other in pairs:
        dx, dy, dz = one[0] - other[0], one[1] - other[1], one[2] - other[2]
        pull = step / (dx * dx + dy * dy + dz * dz) ** 1.5
        mine, yours = one[6] * pull, other[6] * pull
        one[3] -= dx * yours
        one[4] -= dy * yours
        one[5] -= dz * yours
        other[3] += dx * mine
        other[4] += dy * mine
        other[5] += dz * mine
    for body in bodies:
        body[0] += step * body[3]
        body[1] += step * body[4]
        body[2] += step * body[5]


def energy(bodies, pairs):
    moving = sum(0.5 * body[6] * (body[3] ** 2 + body[4] ** 2 + body[5] ** 2) for body in bodies)
    bound = sum(one[6] * other[6] / math.dist(one[:3], other[:3]) for one, other in pairs)
    return moving - bound


def nbody(loops):
    bodies = [list(body) for body in START]
    pairs = [(one, other) for number, one in enumerate(bodies) for other in bodies[number + 1:]]
    for _ in range(loops * 10):
        advance(bodies, pairs, 0.001)
    return energy(bodies, pairs)
