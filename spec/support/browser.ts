/** Debian's Chromium, for the page as a person uses it. It starts with an empty profile of its own, and takes it along when it ends. */
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { isMissing } from './debianProgram.js'

export const hasNoBrowser = isMissing('chromium', 'chromium')

const background = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...background] })

/** Git ignores where it goes. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: fileURLToPath(new URL(`../../screenshots/${name}.png`, import.meta.url)), fullPage: true })
}
