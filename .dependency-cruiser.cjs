/** Who may import whom (ARCHITECTURE.md tells why). spec/architecture.spec.ts proves that each rule bites. */

const foundation = ['errors.ts', 'limits.ts', 'invariant.ts']

/** A part of src/ (a folder ends in '/') and the only parts of src/ that it may import besides itself. */
const boundaries = {
  'protocol/': [...foundation],
  'domain/': [...foundation, 'protocol/'],
  'ports.ts': [...foundation, 'protocol/', 'domain/'],
  'calledAgentStore.ts': ['ports.ts'],
  'actors/': [...foundation, 'protocol/', 'domain/', 'ports.ts', 'calledAgentStore.ts'],
  'tree/': [...foundation, 'protocol/', 'domain/', 'ports.ts'],
  'agentfiles/': [...foundation, 'protocol/', 'domain/', 'ports.ts', 'tree/'],
  'transport/': [...foundation, 'protocol/', 'domain/', 'ports.ts'],
  'platform/': [...foundation, 'protocol/', 'domain/', 'ports.ts', 'calledAgentStore.ts', 'tree/', 'agentfiles/'],
  'simulation/': [
    ...foundation,
    'protocol/',
    'domain/',
    'ports.ts',
    'calledAgentStore.ts',
    'tree/',
    'agentfiles/',
    'transport/',
    'actors/',
  ],
  'config/': [...foundation, 'domain/', 'ports.ts'],
  'control/': [...foundation, 'protocol/', 'domain/', 'ports.ts', 'config/', 'version.ts'],
}

const pattern = (parts) => `^src/(${parts.map((part) => (part.endsWith('/') ? part : `${part.replace('.', '\\.')}$`)).join('|')})`

const boundary = (name, from, parts) => ({
  name,
  severity: 'error',
  from: { path: pattern(from) },
  to: { path: '^src/', pathNot: pattern(parts) },
})

/** The only places that touch the operating system's network and files. */
const adapters = '^src/(platform/|transport/(tcp|tls|unix)|cli/|control/|config/load|(daemon|version)\\.ts$|demo/)'

module.exports = {
  forbidden: [
    boundary('foundation', foundation, foundation),
    ...Object.entries(boundaries).map(([part, allowed]) => boundary(part.replace(/\/|\.ts/, ''), [part], [part, ...allowed])),
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
