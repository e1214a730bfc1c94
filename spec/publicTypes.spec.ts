import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))
const sources = fileURLToPath(new URL('../src/', import.meta.url))

/** Names of the types that the signature of an exported function leads to, with where each is met first. */
const namedTypes = (checker: ts.TypeChecker, start: ts.Symbol): Map<ts.Symbol, string> => {
  const found = new Map<ts.Symbol, string>()
  const resolved = (node: ts.Node): ts.Symbol | undefined => {
    const symbol = checker.getSymbolAtLocation(node)
    return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  }
  const visit = (node: ts.Node, within: string): void => {
    // The content of a class or a constant is not in its type.
    if (ts.isBlock(node) || ts.isPrivateIdentifier(node) || (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name))) return
    if (ts.isTypeReferenceNode(node)) meet(resolved(node.typeName), within)
    if (ts.isExpressionWithTypeArguments(node)) meet(resolved(node.expression), within)
    ts.forEachChild(node, (child) => visit(child, within))
  }
  const meet = (symbol: ts.Symbol | undefined, within: string): void => {
    const declarations = symbol?.declarations?.filter((node) => node.getSourceFile().fileName.startsWith(sources)) ?? []
    if (!symbol || found.has(symbol) || symbol.flags & ts.SymbolFlags.TypeParameter) return
    if (declarations.length === 0) return
    found.set(symbol, within)
    for (const declaration of declarations) if (!ts.isClassDeclaration(declaration)) visit(declaration, symbol.name)
  }
  for (const declaration of start.declarations ?? []) {
    const value = ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration
    if (!value || !ts.isFunctionLike(value)) continue
    for (const parameter of value.parameters) visit(parameter, start.name)
    if (value.type) visit(value.type, start.name)
  }
  return found
}

describe('the public API', () => {
  it('exports every type that the signature of createNode leads to', () => {
    const program = ts.createProgram([index], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      noEmit: true,
      types: ['node'],
    })
    const checker = program.getTypeChecker()
    const file = program.getSourceFile(index)
    const module = file && checker.getSymbolAtLocation(file)
    const exported = module ? checker.getExportsOfModule(module) : []
    const symbols = exported.map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    const createNode = symbols.find(({ name }) => name === 'createNode')
    expect(createNode).toBeDefined()
    const met = createNode ? [...namedTypes(checker, createNode)] : []
    expect(met.length).toBeGreaterThan(30)
    const missing = met.filter(([symbol]) => !symbols.includes(symbol)).map(([{ name }, within]) => `${name} (in ${within})`)
    expect(missing).toEqual([])
  })
})
