/**
 * The only place where text gets into the document: always as text, with what would hide it or turn its direction escaped. Writes
 * nothing that is there already, so that a selection, the focus and a reader of the screen are left alone.
 */
import { visibleLine } from '../base/escapeText.js'

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
type Child = Element | string

export const setText = (element: Element, text: string): void => {
  const visible = visibleLine(text)
  if (element.textContent !== visible) element.textContent = visible
}

/** False and undefined remove it. */
export const setAttribute = (element: Element, name: string, value: string | number | boolean | undefined): void => {
  if (value === undefined || value === false) {
    element.removeAttribute(name)
    return
  }
  const text = value === true ? '' : visibleLine(String(value))
  if (element.getAttribute(name) !== text) element.setAttribute(name, text)
}

const filled = <T extends Element>(element: T, attributes: Attributes, children: readonly Child[]): T => {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  element.append(...children.map((child) => (typeof child === 'string' ? visibleLine(child) : child)))
  return element
}

export const html = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => filled(document.createElement(name), attributes, children)

export const svg = <K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] => filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children)

/** Gives an element these children, unless it has the same already. */
export const setChildren = (parent: Element, children: readonly Element[]): void => {
  const isSame =
    children.length === parent.childNodes.length && children.every((child, at) => child.isEqualNode(parent.childNodes[at] ?? null))
  if (!isSame) parent.replaceChildren(...children)
}

/** An element of index.html. */
export const found = <T extends Element>(id: string, type: abstract new () => T): T => {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`index.html has no such element: ${id}`)
  return element
}

/** What is shown of an item, for as long as it is shown. */
export interface ItemView<T> {
  readonly root: Element
  update(item: T): void
}

/** Children of one element, one for each item: made once, updated, moved and removed with it. */
export class ItemViews<T> {
  readonly #parent: Element
  readonly #keyOf: (item: T) => string
  readonly #create: (item: T) => ItemView<T>
  #views = new Map<string, ItemView<T>>()

  constructor(parent: Element, keyOf: (item: T) => string, create: (item: T) => ItemView<T>) {
    this.#parent = parent
    this.#keyOf = keyOf
    this.#create = create
  }

  show(items: readonly T[]): void {
    const { activeElement } = document
    const views = new Map(items.map((item) => [this.#keyOf(item), this.#updated(item)]))
    for (const [key, view] of this.#views) if (!views.has(key)) view.root.remove()
    this.#views = views
    // Behind what the parent has besides, as a table its head.
    const roots = new Set([...views.values()].map(({ root }) => root))
    let next: Element | null = [...this.#parent.children].find((child) => roots.has(child)) ?? null
    for (const root of roots) {
      if (root === next) next = next.nextElementSibling
      else this.#parent.insertBefore(root, next)
    }
    // An element that is moved loses the focus.
    if (activeElement instanceof HTMLElement && activeElement !== document.activeElement && activeElement.isConnected) activeElement.focus()
  }

  #updated(item: T): ItemView<T> {
    const view = this.#views.get(this.#keyOf(item)) ?? this.#create(item)
    view.update(item)
    return view
  }
}
