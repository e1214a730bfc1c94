/**
 * The file that takes the place of bin/wazuh-clusterd in a manager's home. It names Muster's daemon, node and the home by the paths that
 * they had when it was made, so that wazuh-control, systemd and execd start Muster wherever it lies and whatever their PATH is.
 */
import { wrapperBeginning } from '../kit/installedHome.js'
import { shellQuoted } from './shellWord.js'

export interface WrapperOptions {
  readonly home: string
  /** Of Muster. */
  readonly daemon: string
  /** Comes first in the PATH, as long as it is there. */
  readonly nodeDirectory: string
  /** Commands that put Wazuh's own program back without Muster. */
  readonly wayBack: string
  /** The daemon keeps running as root. */
  readonly stayRoot: boolean
}

export const wrapperText = ({ daemon, home, nodeDirectory, stayRoot, wayBack }: WrapperOptions): string =>
  `${wrapperBeginning} Made by "muster install-into-manager"; "muster uninstall" puts Wazuh's own program back.
daemon=${shellQuoted(daemon)}
home=${shellQuoted(home)}
PATH=${shellQuoted(nodeDirectory)}:\${PATH:-/usr/local/bin:/usr/bin:/bin}
export PATH
gone() {
  printf 'wazuh-clusterd: %s. Install Muster again, or put the program of Wazuh back: %s\\n' "$1" ${shellQuoted(wayBack)} >&2
  exit 1
}
[ -x "$daemon" ] || gone "Muster is gone: there is no program $daemon"
command -v node >/dev/null || gone 'Muster cannot start: there is no node (Node.js) in the PATH'
exec "$daemon"${stayRoot ? ' -r' : ''} --home "$home" "$@"
`

/** The path of the daemon that a wrapper starts. */
export const daemonOf = (text: string): string | undefined => /^daemon='(.*)'$/m.exec(text)?.[1]?.replaceAll("'\\''", "'")
