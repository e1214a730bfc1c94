/** The values of one block of ossec.conf: checked by the table of its options, every mistake one sentence, the last value of an option counts. */
import type { Static, TSchema } from 'typebox'
import { checked, type Findings, fromText, type Option } from '../option.js'
import type { Element } from './ossecConf.js'

export class BlockValues {
  readonly #file: string
  /** As messages name it: `<auth>`, `<auth><force>`. */
  readonly #place: string
  readonly #findings: Findings
  readonly #given = new Map<string, Element>()

  constructor(file: string, place: string, elements: readonly Element[], findings: Findings) {
    this.#file = file
    this.#place = place
    this.#findings = findings
    for (const element of elements) this.#given.set(element.name, element)
  }

  element(name: string): Element | undefined {
    return this.#given.get(name)
  }

  value<S extends TSchema>(known: Option<S>): Static<S> {
    const element = this.#find(known.name)
    return element ? this.checked(known, element) : known.fallback
  }

  /** The value of this element. */
  checked<S extends TSchema>(known: Option<S>, element: Element): Static<S> {
    const place = `${this.#file}: ${this.#place}<${known.name}>`
    if (element.text !== undefined) return checked(known, fromText(known.schema, element.text), place, this.#findings.mistakes)
    this.#findings.mistakes.push(`${place} holds other elements: must be ${known.allowed}`)
    return known.fallback
  }

  /** The block inside this one. */
  within(name: string): BlockValues {
    return new BlockValues(this.#file, `${this.#place}<${name}>`, this.#given.get(name)?.children ?? [], this.#findings)
  }

  warn(says: string): void {
    this.#findings.warnings.push(`${this.#file}: ${this.#place}${says}`)
  }

  note(says: string): void {
    this.#findings.notes.push(`${this.#file}: ${this.#place}${says}`)
  }

  mistake(says: string): void {
    this.#findings.mistakes.push(`${this.#file}: ${this.#place}${says}`)
  }

  /**
   * @param needless options that Wazuh knows and that have no effect here
   * @param readers programs of a manager that read the block whole
   */
  reportOthers(known: readonly string[], needless: readonly string[], readers = "Wazuh's own programs"): void {
    const names = new Set(known.map((name) => name.split('><')[0]))
    for (const name of this.#given.keys()) {
      if (names.has(name)) continue
      const shown = `<${name.slice(0, 100)}>`
      if (needless.includes(name)) this.note(`${shown} is an option of Wazuh that has no effect here`)
      else this.warn(`${shown} is not a known option; it is ignored here, but ${readers} do not start with it: remove it`)
    }
  }

  /** An option's name may lead through a block: `agents><allow_higher_versions`. */
  #find(name: string): Element | undefined {
    const [first = '', ...rest] = name.split('><')
    let found = this.#given.get(first)
    for (const part of rest) found = found?.children.findLast((child) => child.name === part)
    return found
  }
}
