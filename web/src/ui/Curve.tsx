/** Small line charts. The words beside them say the same to those who do not see them. */

export function linePath(values: readonly number[], width: number, height: number, low: number, high: number): string {
  const span = high - low || 1;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, k) => `${k ? "L" : "M"}${(k * step).toFixed(1)} ${(height - ((value - low) / span) * height).toFixed(1)}`)
    .join("");
}

export function Sparkline({ values, label, width = 120, height = 24 }: {
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
}) {
  if (values.length < 2) return null;
  const high = Math.max(...values, 0.001);
  const line = linePath(values, width, height - 2, 0, high);
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label} viewBox={`0 -1 ${width} ${height}`}>
      <path d={`${line}L${width} ${height - 2}L0 ${height - 2}Z`} className="curve-area" />
      <path d={line} className="curve-line" />
    </svg>
  );
}

const [LEFT, BOTTOM, TOP, RIGHT] = [42, 18, 8, 10];

/** Epochs to the right, one measure upwards; `end` is the number of epochs to come, so that a live curve grows. */
export function Chart({ values, title, format, width, height, end, low = 0, high, tone = "accent" }: {
  values: readonly number[];
  title: string;
  format: (value: number) => string;
  width: number;
  height: number;
  end?: number;
  low?: number;
  high?: number;
  tone?: "accent" | "quiet";
}) {
  const steps = Math.max(end ?? 0, values.length, 2);
  const top = high ?? (Math.max(...values, 0.01) * 1.05);
  const [w, h] = [width - LEFT - RIGHT, height - TOP - BOTTOM];
  const x = (k: number) => LEFT + (k / (steps - 1)) * w;
  const y = (value: number) => TOP + h - ((value - low) / (top - low || 1)) * h;
  const last = values.at(-1);
  return (
    <figure className="chart">
      <figcaption>{title}{last !== undefined && <b>{format(last)}</b>}</figcaption>
      <svg width={width} height={height} role="img" aria-label={`${title}: ${values.map(format).join(", ")}`}>
        {[low, (low + top) / 2, top].map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} className="chart-grid" />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">{format(tick)}</text>
          </g>
        ))}
        <text x={LEFT} y={height - 3}>1</text>
        <text x={width - RIGHT} y={height - 3} textAnchor="end">{steps}</text>
        <polyline className={`chart-line chart-${tone}`} points={values.map((value, k) => `${x(k)},${y(value)}`).join(" ")} />
        {last !== undefined && <circle className={`chart-dot chart-${tone}`} cx={x(values.length - 1)} cy={y(last)} r="3" />}
      </svg>
    </figure>
  );
}
