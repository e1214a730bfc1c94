/** What keeps merged files from being built: by what it is about, so that a build of a few leaves the problems of the others standing. */
import { counted } from '../../base/counted.js'
import { limits } from '../../base/limits.js'

export class BuildProblems {
  readonly #bySubject = new Map<string, Set<string>>()

  add(subject: string, problem: string): void {
    const problems = this.#bySubject.get(subject) ?? new Set()
    this.#bySubject.set(subject, problems.add(problem))
  }

  forget(subject: string): void {
    this.#bySubject.delete(subject)
  }

  /** Each once, and at most limits.reportedFailuresMax of them. */
  shown(): string[] {
    const problems = [...new Set([...this.#bySubject.values()].flatMap((some) => [...some]))]
    const unshown = problems.length - limits.reportedFailuresMax
    return unshown > 0 ? [...problems.slice(0, -unshown), `Not shown: ${counted(unshown, 'more problem')} with groups' files.`] : problems
  }
}
