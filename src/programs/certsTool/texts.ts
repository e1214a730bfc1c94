/** Days and names as wazuh-certs-tool writes them. */

export const dayText = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : 'unknown')

export const namesText = (names: readonly string[]): string => (names.length === 0 ? 'no addresses' : names.join(', '))
