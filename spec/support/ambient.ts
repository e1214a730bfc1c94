/** Finds where a source text reads the real time or real randomness itself, instead of through a port. */
import ts from 'typescript'

const globalFunctions = new Set(['setTimeout', 'setInterval'])
const globalMembers = new Set(['Date.now', 'Math.random', 'performance.now'])
const globalObjects = new Set(['globalThis', 'global'])

const isGlobalObject = (node: ts.Node): boolean => ts.isIdentifier(node) && globalObjects.has(node.text)

/** `Date.now` for `Date.now` and for `globalThis.Date.now`; nothing relevant for `clock.now`. */
const memberName = (node: ts.PropertyAccessExpression): string => {
  const owner = node.expression
  if (ts.isPropertyAccessExpression(owner) && isGlobalObject(owner.expression)) return `${owner.name.text}.${node.name.text}`
  return `${owner.getText()}.${node.name.text}`
}

/** True where the name is a member or is being declared, as in `clock.setTimeout`, `{ setTimeout: … }` or a method's declaration. */
const isOnlyAName = (node: ts.Identifier): boolean => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && !isGlobalObject(parent.expression)
  if (ts.isQualifiedName(parent)) return true
  return (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isPropertyAssignment(parent)) && parent.name === node
}

const ambientUse = (node: ts.Node): string | undefined => {
  if (ts.isIdentifier(node) && globalFunctions.has(node.text) && !ts.isTypeQueryNode(node.parent) && !isOnlyAName(node)) return node.text
  if (ts.isPropertyAccessExpression(node) && globalMembers.has(memberName(node))) return memberName(node)
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()'
  return undefined
}

/** Each use as `line: name`. */
export const ambientUses = (text: string): readonly string[] => {
  const file = ts.createSourceFile('snippet.ts', text, ts.ScriptTarget.ES2023, true)
  const uses: string[] = []
  const visit = (node: ts.Node): void => {
    const use = ambientUse(node)
    if (use) uses.push(`${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${use}`)
    node.forEachChild(visit)
  }
  visit(file)
  return uses
}
