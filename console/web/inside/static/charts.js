// Draws each <figure data-chart="ID">: the JSON beside it is what ECharts is given; the table behind it stays for readers.
"use strict";

function drawChart(figure) {
  const option = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const place = figure.querySelector(".drawing");
  place.hidden = false;
  const chart = echarts.init(place, null, { renderer: "svg" });
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  chart.setOption({ aria: { enabled: true }, darkMode: dark, animation: false, ...option });
  addEventListener("resize", () => chart.resize());
}

addEventListener("DOMContentLoaded", () => document.querySelectorAll("figure[data-chart]").forEach(drawChart));
