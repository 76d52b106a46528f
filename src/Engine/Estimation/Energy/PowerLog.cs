using System.Globalization;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Energy;

/// <summary>What one device drew: seconds and watts, in the order of time.</summary>
internal sealed record PowerSeries(string Device, IReadOnlyList<double> Seconds, IReadOnlyList<double> Watts)
{
    /// <summary>Trapezoids between the readings, as the paper's authors integrate nvidia-smi.</summary>
    public double Joules
    {
        get
        {
            double sum = 0;
            for (int i = 1; i < Seconds.Count; i++) sum += (Watts[i] + Watts[i - 1]) / 2 * (Seconds[i] - Seconds[i - 1]);
            return sum;
        }
    }
}

/// <summary>
/// A power log, such as <c>nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -l 1</c> writes: a column of times (seconds, or
/// dates), one of watts (with or without the unit), and where several devices are logged one of their index, name or uuid.
/// </summary>
internal sealed record PowerLog(IReadOnlyList<PowerSeries> Devices)
{
    private static readonly string[] DeviceColumns = ["index", "gpu", "uuid", "device", "name"];

    /// <summary>Of all devices together.</summary>
    public double Kilojoules => Devices.Sum(d => d.Joules) / 1000;

    /// <exception cref="InputException">File, line and column of what is missing or no reading; fewer than two readings of a device.</exception>
    public static PowerLog Read(string path) => Of(CsvTable.Read(path));

    internal static PowerLog Of(CsvTable table)
    {
        int time = Containing("time") ?? throw NoColumn("time"), power = Containing("power", "watt") ?? throw NoColumn("power or watt");
        int? device = DeviceColumns.Select(table.FindColumn).FirstOrDefault(c => c is not null);
        var readings = new Dictionary<string, (List<double> Seconds, List<double> Watts)>();
        for (int row = 0; row < table.RowCount; row++)
        {
            string name = device is { } d ? table.Text(row, d) : "";
            if (!readings.TryGetValue(name, out (List<double> Seconds, List<double> Watts) series)) readings[name] = series = ([], []);
            double seconds = Seconds(row), watts = Watts(row);
            if (series.Seconds.Count > 0 && seconds < series.Seconds[^1]) throw table.Wrong(row, time, "a time not before that of the reading above");
            series.Seconds.Add(seconds);
            series.Watts.Add(watts);
        }
        if (readings.Count == 0 || readings.Values.Any(r => r.Seconds.Count < 2))
            throw new InputException(table.Path, "fewer than two readings of a device", "two or more, to integrate between");
        return new PowerLog([.. readings.Select(r => new PowerSeries(r.Key, r.Value.Seconds, r.Value.Watts))]);

        int? Containing(params string[] words)
        {
            int at = table.Header.ToList().FindIndex(h => words.Any(w => h.Contains(w, StringComparison.OrdinalIgnoreCase)));
            return at < 0 ? null : at;
        }

        InputException NoColumn(string what) => new($"{table.Path}:1", "no column of that kind: " + string.Join(", ", table.Header),
            $"one whose name holds {what}");

        double Seconds(int row)
        {
            string cell = table.Text(row, time);
            if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)) return number;
            return DateTime.TryParse(cell, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out DateTime date)
                ? (date - DateTime.UnixEpoch).TotalSeconds : throw table.Wrong(row, time, "seconds or a date");
        }

        double Watts(int row)
        {
            string cell = table.Text(row, power);
            if (cell.EndsWith('W')) cell = cell[..^1].TrimEnd();
            return double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double watts) && watts >= 0 && double.IsFinite(watts)
                ? watts : throw table.Wrong(row, power, "watts");
        }
    }
}
