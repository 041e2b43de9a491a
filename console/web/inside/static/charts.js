// Draws each <figure data-chart="ID">: the JSON beside it is what ECharts is given; the table behind it stays for readers.
"use strict";

// The page's own colours, so that a chart is read in the dark as in the light.
function chartLook() {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const [text, soft, line, sheet] = ["--text", "--soft", "--line", "--sheet"].map(colour);
  const axis = { axisLine: { lineStyle: { color: soft } }, axisLabel: { color: soft }, splitLine: { lineStyle: { color: line } } };
  return {
    backgroundColor: "transparent",
    textStyle: { color: text },
    legend: { textStyle: { color: text }, pageTextStyle: { color: text }, pageIconColor: text },
    tooltip: { backgroundColor: sheet, borderColor: line, textStyle: { color: text } },
    bar: { label: { color: text } },
    line: { label: { color: text } },
    categoryAxis: axis,
    valueAxis: axis,
  };
}

function drawChart(figure) {
  const option = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const place = figure.querySelector(".drawing");
  place.hidden = false;
  let chart = null;
  const draw = () => {
    if (chart) chart.dispose();
    chart = echarts.init(place, chartLook(), { renderer: "svg" });
    chart.setOption({ aria: { enabled: true }, animation: false, ...option });
  };
  draw();
  addEventListener("resize", () => chart.resize());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure[data-chart]").forEach(drawChart));
