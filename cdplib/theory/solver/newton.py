"""C(D,P) for f-divergences and Rényi's: a primal-dual interior-point method made for couplings.

A coupling W (m, n) has m n entries, but its Newton step has few unknowns: the multipliers v (m,)
of p_Y and u (n,) of the marginal r of X^, and two more for the budgets.  With T = W / z, z the
reduced costs, they solve

    [ diag(T 1)      T             ]  [dv]
    [   T'      diag(T' 1) + K     ]  [du]  = ...,   K the inverse curvature of mu d(p_X, r),

bordered by the budgets; the larger diagonal block is eliminated, so that a dense Cholesky factor of
min(m, n) rows is all that a step costs beside sums over W.  Where p_X has no mass d is linear in r:
there u = -mu grad d is no unknown, and such letters have terms in the border of mu alone.  Every
column takes part: nothing is priced.  Predictor and corrector are Mehrotra's; a neighbouring budget
starts where the last one came near the central path.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from cdplib.theory.divergences import Divergence, Renyi, ReverseKL, bend
from cdplib.theory.problem import Problem
from cdplib.theory.solver.answer import LARGEST, Answer

Array = NDArray[np.float64]

#: Letters lighter than this hardly count in the divergence: a repair serves them.
LIGHT = 1e-11

#: Share of the way to the boundary that a step may go, and of a letter's mass that it must leave.
_NEAR, _LEFT = 0.995, 0.02

#: A path from a cold start keeps every W z above this share of their mean: near an edge pairs that
#: lag behind leave no step any length.  A warm start ends sooner without it.
_CENTRED = 1e-3

#: The gap falls no further ahead of the residuals than this.
_BEHIND = 0.01

_TINY = 1e-300


@dataclass(frozen=True)
class Ball:
    """d(p, r) <= P as phi(r) <= 1 with phi convex; for P = inf phi is d up to a monotone map.

    Up to order 2 phi is E / E(P), E = sum_j p_j f(r_j / p_j) with f less its tangent at 1; beyond,
    where E spans too many digits, it is d / P itself.
    """

    divergence: Divergence
    p: Array
    P: float

    @property
    def on(self) -> NDArray[np.bool_]:
        """(n,): the letters where phi bends; on the others, of no mass in p_X, it is linear."""
        return np.asarray(self.p > (0 if isinstance(self.divergence, ReverseKL) else LIGHT))

    def at(self, r: Array) -> tuple[float, Array, Array, float]:
        """phi, its gradient (n,) and its Hessian: diag(h), h (n,), less ``rank`` grad grad'."""
        d, p, on = self.divergence, self.p, self.on
        p, r = np.where(on, p, 1.0), np.maximum(r, _TINY)
        rho = np.where(on, r / p, 1.0)
        x, off = rho - 1, float(r[~on].sum())
        if isinstance(d, ReverseKL):
            E = float((p * (x**2 - rho * bend(x, 0.0)))[on].sum())
            return self._scaled(E, np.where(on, np.log(rho), 0.0), 1 / r, self.P)
        assert isinstance(d, Renyi)
        a, rate = d.order, d.rate(self.P) if self.P < math.inf else math.inf
        E = float((p * bend(x, 1 - a if a != 1 else 0.0))[on].sum())
        if a == 1:
            slope = np.where(on, x / rho, 1.0)
            return self._scaled(E + off, slope, np.where(on, p / r**2, 0.0), rate)
        with np.errstate(over="ignore"):
            curve = np.where(on, a * (a - 1) * rho ** (-a - 1) / p, 0.0)
        if a <= 2:
            slope = np.where(on, (1 - a) * np.expm1(-a * np.log(rho)), a - 1)
            unit = math.expm1((a - 1) * rate) if rate < math.inf else math.copysign(1, a - 1)
            sign = math.copysign(1, unit)
            return self._scaled(sign * (E + (a - 1) * off), sign * slope, sign * curve, abs(unit))
        S = 1 + E + (a - 1) * off + (1 - a) * (float(r.sum()) - 1)
        if not 0 < S < math.inf:
            return math.inf, np.zeros_like(r), np.zeros_like(r), 0.0
        slope = np.where(on, -(rho**-a), 0.0) / S
        value, grad, h, _ = self._scaled(math.log(S) / (a - 1), slope, curve / ((a - 1) * S), rate)
        return value, grad, h, (a - 1) * (rate if rate < math.inf else 1.0)

    @staticmethod
    def _scaled(
        value: float, slope: Array, curve: Array, unit: float
    ) -> tuple[float, Array, Array, float]:
        unit = unit if unit < math.inf else 1.0
        return value / unit, slope / unit, curve / unit, 0.0


@dataclass(frozen=True)
class State:
    """A point of the method: W, z (m, n) > 0; v, u; lam, mu > 0 with the slacks of their budgets.

    A budget that is not there has its multiplier at 0 and its slack at 1.
    """

    W: Array
    z: Array
    v: Array
    u: Array
    lam: float
    mu: float
    slack_D: float
    slack_P: float

    @property
    def gap(self) -> float:
        """What separates value and bound at a point without residuals."""
        return float(np.vdot(self.W, self.z)) + self.lam * self.slack_D + self.mu * self.slack_P

    def moved(self, step: State, length: float) -> State:
        """This point and ``length`` times ``step``."""
        pairs = zip(vars(self).values(), vars(step).values(), strict=True)
        return State(*(at + length * by for at, by in pairs))


#: Where a state is kept as a start for the next budget.
_WARM = 1e-4


class NewtonModel:
    """The program for one problem and divergence; ``answers`` for any (D, P), warm in between.

    ``cost`` (m, n): what to minimise, err or delta.  With ``least_divergence`` the cost is left
    out and the divergence itself is minimised.  ``allowed`` (m, n): where a plan may have mass.
    """

    def __init__(
        self, problem: Problem, divergence: Divergence, cost: Array, allowed: NDArray[np.bool_],
        least_divergence: bool = False,
    ) -> None:  # fmt: skip
        self.shape = problem.shape
        self.rows = np.flatnonzero(problem.py > 0)
        self.letters = np.flatnonzero(allowed[self.rows].any(axis=0))
        part = np.ix_(self.rows, self.letters)
        self.py, self.px = problem.py[self.rows], problem.px[self.letters]
        self.cost = cost[part]
        self.delta = np.minimum(problem.delta[part], LARGEST)
        self.forbidden = None if allowed[part].all() else ~allowed[part]
        self.divergence, self.least_divergence = divergence, least_divergence
        self.warm: dict[bool, tuple[float, State]] = {}

    def answers(self, D: float, P: float, gap: float) -> Iterator[Answer]:
        """Answers from the first whose gap is about ``gap`` on, each closer than the one before."""
        ball = Ball(self.divergence, self.px, math.inf if self.least_divergence else P)
        if (D < math.inf) in self.warm:
            yield from self._path(self._warm(D, P), ball, D, gap, 25, 0.0)
        yield from self._path(self._cold(D), ball, D, gap, 250, _CENTRED)

    def _path(
        self, state: State, ball: Ball, D: float, gap: float, most: int, centred: float
    ) -> Iterator[Answer]:
        kept = False
        for _ in range(most):
            try:
                # far from any answer numbers may overflow: what comes of it is judged, not believed
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    step = _Step(self, state, ball, D)
                    following = step.next(0.03 * gap, centred)
            except (linalg.LinAlgError, FloatingPointError):
                break
            if not kept and step.gap < _WARM and step.residual < 10 * step.gap:
                self.warm[D < math.inf], kept = (ball.P, state), True
            if step.gap < gap and step.residual < 1e3 * gap:
                yield self._answer(state)
                gap *= 0.3
                if gap < 1e-13:
                    return
            state = following
        yield self._answer(state)  # a repair may make something of it, as at an edge

    def _answer(self, state: State) -> Answer:
        plan, u = np.zeros(self.shape), np.zeros(self.shape[1])
        plan[np.ix_(self.rows, self.letters)] = state.W
        u[self.letters] = state.u
        return Answer(plan, state.lam, u)

    def _cold(self, D: float) -> State:
        """Y and X^ nearly independent: far from D, but inside the ball and away from 0."""
        W = self.py[:, None] * (0.95 * self.px + 0.05 / self.px.size)
        W = np.maximum(W, 0.05 / W.size)
        if self.forbidden is not None:
            W[self.forbidden] = 0.0
        z, tau = np.ones(W.shape), 1 / W.size
        far = float(np.vdot(self.delta, W))
        slack = max(0.1 * far, D - far) if D < math.inf else 1.0
        return State(
            W, z, (self.cost - z).min(axis=1), np.zeros(self.px.size),
            tau / slack if D < math.inf else 0.0, 0.0 if self.least_divergence else tau, slack, 1.0,
        )  # fmt: skip

    def _warm(self, D: float, P: float) -> State:
        """Where the last budgets' path came near its end."""
        before, s = self.warm[D < math.inf]
        if D < math.inf:
            s = replace(s, slack_D=max(s.slack_D, D - float(np.vdot(self.delta, s.W))))
        if self.least_divergence:
            return s
        phi = Ball(self.divergence, self.px, P).at(s.W.sum(axis=0))[0]
        return replace(s, mu=s.mu * P / before, slack_P=max(s.slack_P, 1 - phi))


class _Step:
    """One Newton step at ``s``: what is left to do there, and where to go next."""

    def __init__(self, model: NewtonModel, s: State, ball: Ball, D: float) -> None:
        self.model, self.s, self.ball, self.D = model, s, ball, D
        self.bounded, self.limited = D < math.inf, not model.least_divergence
        self.r = s.W.sum(axis=0)
        self.phi, self.grad, h, rank = ball.at(self.r)
        self.bends = ball.on
        if not math.isfinite(self.phi):
            raise FloatingPointError
        weight = s.mu if self.limited else 1.0
        # residuals: of the reduced costs, p_Y, both budgets, and of u = -mu grad phi
        self.dual = model.cost - s.z
        self.dual -= s.v[:, None] + s.u
        if self.bounded:
            self.dual += s.lam * model.delta
        self.row = model.py - s.W.sum(axis=1)
        self.far = D - float(np.vdot(model.delta, s.W)) - s.slack_D if self.bounded else 0.0
        self.out = 1 - self.phi - s.slack_P if self.limited else 0.0
        self.turn = -(weight * self.grad + s.u)
        self.gap = s.gap
        self.residual = max(
            float(np.abs(self.row).sum()), abs(self.far) / (1 + abs(D)) if self.bounded else 0.0,
            abs(self.out) / (1 + abs(self.out)),
        )  # fmt: skip
        self.tau = self.gap / (s.W.size + self.bounded + self.limited)
        self._factor(weight, h, rank)

    def _factor(self, weight: float, h: Array, rank: float) -> None:
        s, delta = self.s, self.model.delta
        self.T = T = s.W / s.z
        if self.model.forbidden is not None:
            T[self.model.forbidden] = 0.0
        bends, flat = self.bends, ~self.bends
        self.K = np.where(bends, 1 / (weight * np.maximum(h, 1e-12)), 0.0)
        # (diag(h) - rank g g')^-1 = diag(1/h) + k k' beta, with k = g / h
        self.k = self.K * self.grad
        self.beta = 0.0
        if rank:
            self.beta = weight * rank / max(1 - weight * rank * float(self.grad @ self.k), 1e-3)
        self.rows, self.sums = T.sum(axis=1), T.sum(axis=0)
        self.letters = np.where(bends, self.sums + self.K, 1.0)
        self.bent = T * bends if flat.any() else T  # the columns whose u is an unknown
        self.wide = len(self.rows) < len(self.letters)
        if self.wide:
            scaled = self.bent / np.sqrt(self.letters)
            S, diagonal = -(scaled @ scaled.T), self.rows
        else:
            scaled = self.bent / np.sqrt(self.rows)[:, None]
            S, diagonal = -(scaled.T @ scaled), self.letters
        S.ravel()[:: len(S) + 1] += diagonal * (1 + 1e-14)
        try:
            self.factor = linalg.cho_factor(S, lower=True, check_finite=False)
        except linalg.LinAlgError:
            S.ravel()[:: len(S) + 1] += 1e-10 * diagonal
            self.factor = linalg.cho_factor(S, lower=True, overwrite_a=True, check_finite=False)
        self.pull = self.grad * flat  # of a flat letter du = turn - dmu pull
        borders: list[tuple[Array, Array]] = []
        corner: list[float] = []
        if self.bounded:
            TD = T * delta
            self.sums_D = TD.sum(axis=0)
            borders.append((-TD.sum(axis=1), -self.sums_D * bends))
            corner.append(float(np.vdot(TD, delta)) + s.slack_D / s.lam)
        if self.limited:
            Kg = self._curved(self.grad)
            borders.append((-(T @ self.pull), Kg))
            corner.append(float(self.grad @ Kg + self.sums @ self.pull**2) + s.slack_P / s.mu)
        if self.beta:  # the rank as an unknown of its own
            borders.append((np.zeros(len(self.rows)), self.k))
            corner.append(-1 / self.beta)
        self.borders = np.array([b[0] for b in borders]).T, np.array([b[1] for b in borders]).T
        if borders:
            self.solved = self._core(*self.borders)
            self.corner = np.diag(corner)
            if self.bounded and self.limited:
                self.corner[0, 1] = self.corner[1, 0] = float(self.sums_D @ self.pull)
            for border, x in zip(self.borders, self.solved, strict=True):
                self.corner -= border.T @ x

    def _curved(self, x: Array) -> Array:
        """The inverse Hessian of mu phi, times ``x``."""
        return np.asarray(self.K * x + (self.beta * float(self.k @ x)) * self.k)

    def _core(self, a: Array, b: Array) -> tuple[Array, Array]:
        """dv and du of the unbordered system, one column each for the columns of a and b."""
        T, rows, letters = self.bent, self.rows[:, None], self.letters[:, None]
        if self.wide:
            x = linalg.cho_solve(self.factor, a - T @ (b / letters), check_finite=False)
            return x, (b - T.T @ x) / letters
        y = linalg.cho_solve(self.factor, b - T.T @ (a / rows), check_finite=False)
        return (a - T @ y) / rows, y

    def _direction(self, product: Array, D: float, P: float) -> State:
        """The step towards the given changes of W z, lam slack_D and mu slack_P."""
        s, delta, T = self.s, self.model.delta, self.T
        g = product / s.z - T * self.dual
        turn, into = np.where(self.bends, 0.0, self.turn), g.sum(axis=0)
        a = self.row - g.sum(axis=1) - T @ turn
        b = self._curved(self.turn) - into * self.bends
        right = []
        if self.bounded:
            right.append(float(np.vdot(delta, g) + self.sums_D @ turn) + D / s.lam - self.far)
        if self.limited:
            known = self.grad @ self._curved(self.turn) + self.pull @ (self.sums * turn + into)
            right.append(float(known) + P / s.mu - self.out)
        if self.beta:
            right.append(0.0)
        x, y = (part[:, 0] for part in self._core(a[:, None], b[:, None]))
        dlam = dmu = 0.0
        if right:
            q = np.linalg.solve(
                self.corner, np.array(right) - self.borders[0].T @ x - self.borders[1].T @ y
            )
            x, y = x - self.solved[0] @ q, y - self.solved[1] @ q
            dlam = float(q[0]) if self.bounded else 0.0
            dmu = float(q[int(self.bounded)]) if self.limited else 0.0
        y += turn - dmu * self.pull
        dW = x[:, None] + y
        if self.bounded:
            dW -= dlam * delta
        dz = self.dual - dW
        dW *= T
        dW += g
        return State(
            dW, dz, x, y, dlam, dmu, (D - s.slack_D * dlam) / s.lam if self.bounded else 0.0,
            (P - s.slack_P * dmu) / s.mu if self.limited else 0.0,
        )  # fmt: skip

    def _length(self, step: State) -> float:
        """The longest step to the boundary, at most 1."""
        s, least = self.s, np.min if self.model.forbidden is None else np.nanmin
        with np.errstate(
            invalid="ignore", over="ignore", divide="ignore"
        ):  # 0 / 0 where a plan may have no mass
            ratios = [-1.0, float(least(step.W / s.W)), float(least(step.z / s.z))]
        if self.bounded:
            ratios += [step.lam / s.lam, step.slack_D / s.slack_D]
        if self.limited:
            ratios += [step.mu / s.mu, step.slack_P / s.slack_P]
        return -1 / min(ratios)

    def next(self, target: float, centred: float) -> State:
        """The next point, on the way to a gap of ``target``; ``centred``: see :data:`_CENTRED`."""
        s, product = self.s, self.s.W * self.s.z
        D, P = s.lam * s.slack_D, s.mu * s.slack_P
        guess = self._direction(-product, -D, -P)
        far = self._length(guess)
        DD, PP = guess.lam * guess.slack_D, guess.mu * guess.slack_P
        bent = guess.W * guess.z
        # z dW + W dz = -W z, so this is the gap after the step
        after = (1 - far) * self.gap + far**2 * (float(bent.sum()) + DD + PP)
        share = min(1.0, max(after / self.gap, 0.0) ** 3)
        share = max(share, min(1.0, _BEHIND * self.residual / self.gap))
        t = max(share * self.tau, target / s.W.size)
        step = self._direction(t - bent - product, t - DD - D, t - PP - P)
        length = min(1.0, max(_NEAR, 1 - self.tau) * self._length(step))
        usable = True if self.model.forbidden is None else ~self.model.forbidden
        least = 0.9 * float(product.min(where=usable, initial=math.inf))
        for _ in range(60 if centred else 0):
            pairs = (s.W + length * step.W) * (s.z + length * step.z)
            lag = float(pairs.min(where=usable, initial=math.inf))
            if lag >= min(centred * float(pairs.mean()), least):
                break
            length *= 0.9
        dr, most = step.W.sum(axis=0), max(10 * abs(self.out), 1.0)
        for _ in range(30):  # phi is no quadratic: a step may not lead far out of the ball
            r = self.r + length * dr
            if (r >= _LEFT * self.r).all():
                out = self.ball.at(r)[0] - 1 + s.slack_P + length * step.slack_P
                if not self.limited or out <= most:
                    break
            length *= 0.7
        return s.moved(step, length)
