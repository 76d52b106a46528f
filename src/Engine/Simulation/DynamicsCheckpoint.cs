using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Where a dynamics is, to the bit: after it a run goes on as if it had never been interrupted. Forces are not in it, they follow from the positions; nor
/// are random numbers, which follow from seed and step. Numbers of atoms stand as the bytes of their doubles, little endian, in base 64.
/// </summary>
internal sealed record DynamicsCheckpoint
{
    public const int Current = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public required int Version { get; init; }

    /// <summary>As <see cref="IPotential.Identity"/> has it.</summary>
    public required string? Potential { get; init; }

    public required DynamicsOptions Options { get; init; }

    public required Beginning Begun { get; init; }

    [JsonIgnore]
    public Frame Start => Begun.Frame;

    public required int DegreesOfFreedom { get; init; }

    /// <summary>Done.</summary>
    public required long Step { get; init; }

    /// <summary>Of the steps alone, so far.</summary>
    public required double Seconds { get; init; }

    public required int Resumes { get; init; }

    public required IReadOnlyList<Replica> Replicas { get; init; }

    /// <summary>What differs between replicas.</summary>
    public sealed record Replica
    {
        public required byte[] Positions { get; init; }

        public required byte[] Momenta { get; init; }

        public required byte[]? Cell { get; init; }

        public required DynamicsRecord Record { get; init; }

        /// <summary>Bytes of the files so far.</summary>
        public required long TrajectoryBytes { get; init; }

        public required long ThermoBytes { get; init; }
    }

    /// <summary>The start, without labels.</summary>
    public sealed record Beginning
    {
        public required int[] AtomicNumbers { get; init; }

        public required byte[] Positions { get; init; }

        public required byte[]? Momenta { get; init; }

        public required byte[]? Cell { get; init; }

        public required bool[] Periodic { get; init; }

        public required bool[]? Fixed { get; init; }

        public required double Charge { get; init; }

        public required double Spin { get; init; }

        public required string? ConfigType { get; init; }

        [JsonIgnore]
        public Frame Frame => new()
        {
            AtomicNumbers = AtomicNumbers,
            Positions = Unpack(Positions),
            Momenta = Momenta is null ? null : Unpack(Momenta),
            Cell = Cell is null ? null : Unpack(Cell),
            Periodic = Periodic,
            Fixed = Fixed,
            Charge = Charge,
            Spin = Spin,
            ConfigType = ConfigType,
            Place = "the start that the checkpoint knows",
        };

        public static Beginning Of(Frame frame) => new()
        {
            AtomicNumbers = frame.AtomicNumbers,
            Positions = Pack(frame.Positions),
            Momenta = frame.Momenta is null ? null : Pack(frame.Momenta),
            Cell = frame.Cell is null ? null : Pack(frame.Cell),
            Periodic = frame.Periodic,
            Fixed = frame.Fixed,
            Charge = frame.Charge,
            Spin = frame.Spin,
            ConfigType = frame.ConfigType,
        };
    }

    public byte[] Bytes() => Seal.Json(JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <exception cref="InputException">Damaged, or of another version.</exception>
    public static DynamicsCheckpoint Read(string path)
    {
        DynamicsCheckpoint read = Seal.ReadJson<DynamicsCheckpoint>(path, Json, "the checkpoint of a dynamics");
        if (read.Version != Current) throw new InputException(path, $"version {read.Version}", $"{Current}");
        int numbers = 3 * read.Begun.AtomicNumbers.Length;
        if (read.Replicas.Count != read.Options.Replicas || read.Replicas.Any(r => r.Positions.Length != 8 * numbers || r.Momenta.Length != 8 * numbers))
            throw new InputException(path, "numbers of other atoms", $"those of {read.Options.Replicas} x {read.Begun.AtomicNumbers.Length} atoms");
        return read;
    }

    public static byte[] Pack(double[] numbers) => MemoryMarshal.AsBytes<double>(numbers).ToArray();

    public static double[] Unpack(byte[] bytes) => MemoryMarshal.Cast<byte, double>(bytes).ToArray();

    /// <summary>Refuses to go on with something else.</summary>
    /// <param name="place">Of the checkpoint.</param>
    /// <param name="start">As it is given now.</param>
    /// <param name="options">As they are given now; more steps are fine.</param>
    /// <param name="identity">Of the potential now.</param>
    /// <exception cref="InputException">What differs.</exception>
    public void RequireSame(string place, Frame start, DynamicsOptions options, string? identity)
    {
        if (identity != Potential) throw new InputException(place, "a dynamics of another model, of other weights or of another precision", "the one it was begun with");
        if (Digest(start) != Digest(Start)) throw new InputException(place, $"a dynamics of another start than {start.Place}", "the frame it was begun with, or none");
        foreach (System.Reflection.PropertyInfo property in typeof(DynamicsOptions).GetProperties())
        {
            object? before = property.GetValue(Options), now = property.GetValue(options);
            if (property.Name != nameof(DynamicsOptions.Steps) && !Equals(before, now))
                throw new InputException(JsonNamingPolicy.CamelCase.ConvertName(property.Name), $"{now}", $"{before}, as the dynamics in {place} was begun");
        }
        if (options.Steps < Step) throw new InputException("steps", $"{options.Steps}", $"at least the {Step} that are done");
    }

    private static string Digest(Frame frame)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>(frame.AtomicNumbers));
        foreach (double[]? numbers in (double[]?[])[frame.Positions, frame.Cell, frame.Momenta, [frame.Charge, frame.Spin]])
            hash.AppendData(MemoryMarshal.AsBytes<double>(numbers ?? []));
        hash.AppendData(MemoryMarshal.AsBytes<bool>(frame.Periodic));
        hash.AppendData(MemoryMarshal.AsBytes<bool>(frame.Fixed ?? new bool[frame.Atoms]));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
