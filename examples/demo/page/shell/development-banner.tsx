import { accepted } from '../line/line-state.ts'

/** Said by the server itself, in its first answer. */
export const DevelopmentBanner = () =>
  accepted.value?.development === true ? (
    <p class="development">
      <strong>Development mode.</strong> This server believes everyone who can reach it. Never run it like this in production.
    </p>
  ) : null
