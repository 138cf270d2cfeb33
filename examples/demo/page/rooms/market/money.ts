const price = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const percent = new Intl.NumberFormat(undefined, {
  style: 'percent',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'exceptZero',
})

export const formatPrice = (value: number): string => price.format(value)

export const formatChange = (share: number): string => percent.format(share)

/** What a change looks like, for those who see no colours as well. */
export const toneOf = (share: number): 'up' | 'down' => (share < 0 ? 'down' : 'up')

export const arrowOf = (share: number): string => (share < 0 ? '▼' : '▲')
