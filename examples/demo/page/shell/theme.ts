import { computed, effect, signal } from '@preact/signals'

export type ThemeChoice = 'auto' | 'light' | 'dark'

const KEY = 'fusewire.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')
const darkness = signal(systemDark.matches)
systemDark.addEventListener('change', ({ matches }) => {
  darkness.value = matches
})

const stored = localStorage.getItem(KEY)

export const themeChoice = signal<ThemeChoice>(stored === 'light' || stored === 'dark' ? stored : 'auto')

export const theme = computed<'light' | 'dark'>(() => {
  if (themeChoice.value !== 'auto') return themeChoice.value
  return darkness.value ? 'dark' : 'light'
})

/** Writes the theme into the document, before anything is drawn and whenever it changes. */
export const applyTheme = (): void => {
  effect(() => {
    document.documentElement.dataset.theme = theme.value
    localStorage.setItem(KEY, themeChoice.value)
  })
}

/** A colour of the current theme, for canvases. */
export const inkOf = (property: string): string => getComputedStyle(document.documentElement).getPropertyValue(property).trim()
