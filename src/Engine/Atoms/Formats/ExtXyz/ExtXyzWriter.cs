using System.Globalization;

namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>Writes frames as extended xyz, eV and Angstrom, so that they read back bit for bit. The caller owns the writer.</summary>
public sealed class ExtXyzWriter(TextWriter writer)
{
    /// <param name="frame">What is absent is left out.</param>
    /// <param name="info">Further keys and values.</param>
    /// <param name="columns">Further numbers for each atom, (atoms, anything), by name: momenta, predicted forces.</param>
    /// <param name="tensors">Further keys with several values each: another stress.</param>
    public void Write(
        Frame frame, IReadOnlyDictionary<string, double>? info = null, IReadOnlyDictionary<string, double[]>? columns = null,
        IReadOnlyDictionary<string, double[]>? tensors = null)
    {
        List<(string Name, double[] Values)> tables = [("pos", frame.Positions)];
        if (frame.Forces is not null) tables.Add(("forces", frame.Forces));
        foreach ((string name, double[] values) in columns ?? new Dictionary<string, double[]>()) tables.Add((name, values));
        writer.Write($"{frame.Atoms}\n");
        WriteInfo(frame, info, tensors, tables);
        for (int i = 0; i < frame.Atoms; i++)
        {
            writer.Write(Elements.Symbol(frame.AtomicNumbers[i]));
            foreach ((_, double[] values) in tables)
            {
                int width = values.Length / frame.Atoms;
                for (int k = 0; k < width; k++) writer.Write($" {Text(values[i * width + k])}");
            }
            if (frame.Fixed is { } held) writer.Write(held[i] ? " F" : " T");
            writer.Write('\n');
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";

    private static string Numbers(IEnumerable<double> values) => $"\"{string.Join(' ', values.Select(Text))}\"";

    private void WriteInfo(Frame frame, IReadOnlyDictionary<string, double>? info, IReadOnlyDictionary<string, double[]>? tensors,
        List<(string Name, double[] Values)> tables)
    {
        if (frame.Cell is not null) writer.Write($"Lattice={Numbers(frame.Cell)} ");
        writer.Write("Properties=species:S:1");
        foreach ((string name, double[] values) in tables) writer.Write($":{name}:R:{values.Length / frame.Atoms}");
        // What may move, as ASE has it.
        if (frame.Fixed is not null) writer.Write(":move_mask:L:1");
        if (frame.Energy is { } energy) writer.Write($" energy={Text(energy)}");
        if (frame.Stress is not null) writer.Write($" stress={Numbers(frame.Stress)}");
        if (frame.Charge != 0) writer.Write($" charge={Text(frame.Charge)}");
        if (frame.Spin != 0) writer.Write($" spin={Text(frame.Spin)}");
        if (frame.ConfigType is not null) writer.Write($" config_type={Quoted(frame.ConfigType)}");
        foreach ((string name, double value) in info ?? new Dictionary<string, double>()) writer.Write($" {name}={Text(value)}");
        foreach ((string name, double[] values) in tensors ?? new Dictionary<string, double[]>())
            writer.Write($" {name}={Numbers(values)}");
        writer.Write($" pbc=\"{string.Join(' ', frame.Periodic.Select(flag => flag ? 'T' : 'F'))}\"\n");
    }
}
