import { randomInt } from "node:crypto";
import { StrataError } from "@strata/core";

const adjectives =
  "amber bold brisk calm clear coral crisp deft eager early fair fleet fond fresh gentle glad golden grand honest keen kind lively lucid lunar mellow merry mild nimble noble patient plain proud quick quiet ready rosy sharp silver smooth snug solar steady stout sunny swift tidy vivid warm wise witty".split(
    " ",
  );
const surnames =
  "agnesi banach bernoulli boole cantor cauchy dedekind descartes diophantus eisenstein erdos euclid euler fermat fibonacci fourier galois gauss germain goedel hadamard hamilton hardy hermite hilbert hypatia jacobi klein kovalevskaya lagrange laplace legendre leibniz lie lindemann markov minkowski moebius napier noether pascal peano poincare poisson ramanujan riemann sylvester thales viete weyl".split(
    " ",
  );

const form = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const maxLength = 128;

/** A name of two words for a container that was given none, e.g. `quiet_noether`; never one that `isTaken`. */
export function inventName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const words = `${adjectives[randomInt(adjectives.length)]}_${surnames[randomInt(surnames.length)]}`;
    // A store with very many containers gets numbers, so that this ends.
    const name = attempt < 10 ? words : `${words}${randomInt(2 ** 40)}`;
    if (!isTaken(name)) return name;
  }
}

/**
 * Check a name that a user chose, by docker's rule.
 * @throws StrataError `InvalidArgument`
 */
export function assertContainerName(name: string): void {
  if (form.test(name) && name.length <= maxLength) return;
  throw new StrataError(
    "InvalidArgument",
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, 2 to ${maxLength} characters`,
  );
}
