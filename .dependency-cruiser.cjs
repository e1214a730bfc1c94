/** Who may import whom (ARCHITECTURE.md tells why). spec/architecture.spec.ts proves that each rule bites. */

/** The layers: a part of src/ (a folder ends in '/') and the only parts of src/ that it may import besides itself. */
const layers = {
  'base/': [],
  'domain/': ['base/'],
  'wire/': ['base/', 'domain/'],
  'ports/': ['base/', 'domain/', 'wire/'],
  'calledAgentStore.ts': ['base/', 'ports/'],
  'actors/': ['base/', 'domain/', 'wire/', 'ports/'],
  'disk/': ['base/', 'domain/', 'wire/', 'ports/'],
  'transport/': ['base/', 'domain/', 'wire/', 'ports/'],
  'platform/': ['base/', 'domain/', 'wire/', 'ports/', 'calledAgentStore.ts', 'disk/'],
  'fronts/': ['base/', 'domain/', 'wire/', 'ports/', 'disk/', 'platform/', 'actors/'],
  'simulation/': ['base/', 'domain/', 'wire/', 'ports/', 'calledAgentStore.ts', 'disk/', 'transport/', 'actors/'],
  'page/': ['base/', 'domain/'],
  'config/': ['base/', 'domain/', 'ports/'],
  'localSocket/': ['base/', 'domain/', 'wire/', 'ports/', 'actors/manager/managerRequests.ts'],
}

/**
 * The capabilities, each a folder inside the layers, from the lowest to the highest: none imports a higher one of its layer. `kit` is
 * what machines are made of.
 */
const capabilities = [
  ...['kit', 'certificates', 'files', 'agents', 'cluster', 'queries'],
  ...['enrolment', 'listener', 'balancer', 'api', 'manager', 'fleet'],
]
const layersWithCapabilities = ['domain', 'actors', 'disk']

const pattern = (parts) => `^src/(${parts.map((part) => (part.endsWith('/') ? part : `${part.replace('.', '\\.')}$`)).join('|')})`

const layer = ([part, allowed]) => ({
  name: part.replace(/\/|\.ts/, ''),
  severity: 'error',
  from: { path: pattern([part]) },
  to: { path: '^src/', pathNot: pattern([part, ...allowed]) },
})

/** What lies in a layer outside its capabilities puts them together, and is imported by none of them. */
const capabilityOrder = (name, index) => ({
  name: `capability-${name}`,
  severity: 'error',
  from: { path: `^src/(${layersWithCapabilities.join('|')})/${name}/` },
  to: {
    path: '^src/$1/',
    pathNot: `^src/$1/(${capabilities.slice(0, index + 1).join('|')})/`,
  },
})

/** The only places that touch the operating system's network and files. */
const adapters = '^src/(platform/|cli/|programs/|localSocket/|config/load|(daemon|version)\\.ts$)'

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(layer),
    ...capabilities.map(capabilityOrder),
    {
      name: 'capabilities',
      comment: 'The list of capabilities is closed: a new one joins it, with its place in the order.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: `^src/(${layersWithCapabilities.join('|')})/(?!(${capabilities.join('|')})/)[^/]+/` },
    },
    {
      name: 'operating-system',
      severity: 'error',
      from: { path: '^src/', pathNot: adapters },
      to: { path: '^(node:)?(net|fs|tls|dns|timers)(/|$)' },
    },
    {
      name: 'barrels-are-for-others',
      comment: 'index.ts and testing.ts are what other programs import; inside, import the file that has the thing.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing\\.ts$' },
      to: { path: '^src/(index|testing)\\.ts$' },
    },
    { name: 'no-other-barrel', severity: 'error', from: {}, to: { path: '^src/.+/index\\.ts$' } },
    {
      name: 'no-cycle',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'not-to-spec', severity: 'error', from: { path: '^src/' }, to: { path: '^(spec|bench|examples)/' } },
    { name: 'not-to-dev', severity: 'error', from: { path: '^src/' }, to: { dependencyTypes: ['npm-dev'] } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
