// Draws a chart beside every table that asks for one; the table stays the source and the text for screen readers.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colors = ["--chart-1", "--chart-2", "--chart-3", "--chart-4"].map((name) => style.getPropertyValue(name).trim());
  Chart.defaults.color = style.getPropertyValue("--soft").trim();
  Chart.defaults.borderColor = style.getPropertyValue("--line").trim();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.locale = "nl-NL";
  Chart.defaults.animation = false;

  for (const table of document.querySelectorAll("table[data-chart]")) {
    const first = Number(table.dataset.from || 1);
    const columns = Array.from(table.tHead.rows[0].cells).slice(first).map((cell) => cell.textContent.trim());
    const rows = Array.from(table.tBodies[0].rows);
    const place = document.createElement("div");
    place.className = "chart " + table.dataset.chart;
    if (table.dataset.chart === "bars") place.style.height = `${rows.length * 30 + 90}px`;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    place.append(canvas);
    table.closest("figure").querySelector(".chart-place").replaceWith(place);
    const number = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));
    const line = table.dataset.chart === "line";
    new Chart(canvas, {
      type: line ? "line" : "bar",
      data: {
        labels: rows.map((row) => row.cells[0].textContent.trim()),
        datasets: columns.map((label, index) => ({
          label,
          data: rows.map((row) => number(row.cells[index + first])),
          borderColor: colors[index % colors.length],
          backgroundColor: colors[index % colors.length],
          borderWidth: line ? 2 : 0,
          pointStyle: !line || index % 2 ? "rect" : "circle",
          pointRadius: 3,
          tension: 0.2,
          yAxisID: line && index === 1 ? "right" : undefined,
        })),
      },
      options: {
        indexAxis: line ? "x" : "y",
        maintainAspectRatio: false,
        plugins: { legend: { display: columns.length > 1, position: "bottom", labels: { usePointStyle: true, boxWidth: 8, boxHeight: 8 } } },
        scales: line
          ? {
              y: { beginAtZero: true, title: { display: true, text: columns[0] }, ticks: { precision: 0 } },
              right: { position: "right", beginAtZero: true, title: { display: true, text: columns[1] }, grid: { drawOnChartArea: false }, ticks: { precision: 0 } },
            }
          : { x: { beginAtZero: true, stacked: columns.length > 1, ticks: { precision: 0 } }, y: { stacked: columns.length > 1 } },
      },
    });
  }
})();
