import { type ThemeChoice, themeChoice } from './theme.ts'

const NEXT: Record<ThemeChoice, ThemeChoice> = { auto: 'light', light: 'dark', dark: 'auto' }
const NAMES: Record<ThemeChoice, string> = { auto: 'as the system', light: 'light', dark: 'dark' }
const SHAPES: Record<ThemeChoice, string> = {
  auto: 'M12 4a8 8 0 1 0 0 16ZM12 4a8 8 0 0 1 0 16',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  dark: 'M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5Z',
}

/** Light, dark, or as the system has it. */
export const ThemeSwitch = () => {
  const choice = themeChoice.value
  return (
    <button
      type="button"
      class={`theme-switch ${choice}`}
      aria-label={`Theme: ${NAMES[choice]}. Change to ${NAMES[NEXT[choice]]}`}
      title={`Theme: ${NAMES[choice]}`}
      onClick={() => (themeChoice.value = NEXT[choice])}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={SHAPES[choice]} />
      </svg>
    </button>
  )
}
