// Draws each <figure data-chart="ID">: the JSON beside it is what ECharts is given; the table behind it stays for readers.
"use strict";

const DARK = matchMedia("(prefers-color-scheme: dark)");
const PALETTES = {
  light: ["#14507d", "#2f9e6e", "#d9a514", "#d9701a", "#b3302b", "#7a2d6b", "#4d5b6a", "#0f8c9c", "#8a5a2b"],
  dark: ["#6fb1e6", "#6fd0a0", "#f0c75a", "#f2a05c", "#f08a80", "#d191c2", "#aab6c3", "#62cfdc", "#d0a377"],
};

// The page's own colours, so that a chart is read in the dark as in the light.
function chartLook() {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const [text, soft, line, sheet] = ["--text", "--soft", "--line", "--sheet"].map(colour);
  const axis = { axisLine: { lineStyle: { color: soft } }, axisLabel: { color: soft }, splitLine: { lineStyle: { color: line } } };
  return {
    backgroundColor: "transparent",
    color: PALETTES[DARK.matches ? "dark" : "light"],
    textStyle: { color: text },
    legend: { textStyle: { color: text }, pageTextStyle: { color: text }, pageIconColor: text },
    tooltip: { backgroundColor: sheet, borderColor: line, textStyle: { color: text } },
    bar: { label: { color: text } },
    line: { label: { color: text } },
    categoryAxis: axis,
    valueAxis: axis,
  };
}

// Numbers as the page's language writes them; `unit` of an axis stands behind each.
function written(option) {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const said = (axis) => ({ ...axis, axisLabel: { formatter: (value) => number.format(value) + (axis.unit || ""), ...axis.axisLabel } });
  return option.yAxis && option.yAxis.type === "value" ? { ...option, yAxis: said(option.yAxis) } : option;
}

function drawChart(figure) {
  const option = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const caption = figure.querySelector("figcaption").textContent;
  const place = figure.querySelector(".drawing");
  place.hidden = false;
  let chart = null;
  const draw = () => {
    if (chart) chart.dispose();
    chart = echarts.init(place, chartLook(), { renderer: "svg" });
    chart.setOption({ aria: { enabled: true, label: { description: caption } }, animation: false, ...written(option) });
  };
  draw();
  addEventListener("resize", () => chart.resize());
  DARK.addEventListener("change", draw);
}

addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure[data-chart]").forEach(drawChart));
