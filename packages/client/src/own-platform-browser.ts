/** Browsers share their connections too, but find out by themselves when one is dead. */
export const createOwnPlatform = (): undefined => undefined
