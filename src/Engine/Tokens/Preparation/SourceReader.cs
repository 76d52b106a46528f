namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Blocks of indices; the molecules are made by the workers.</summary>
internal sealed class SourceReader(IMoleculeSource source) : IBlockReader
{
    private const int BlockMolecules = 1024;

    private readonly ThreadLocal<char[]> _buffers = new(() => new char[source.MaximumCharacters]);
    private long _next;

    public double Fraction => (double)Interlocked.Read(ref _next) / source.Count;

    public bool Fill(MoleculeBlock block)
    {
        long count = Math.Min(BlockMolecules, source.Count - _next);
        block.Place = source.Name;
        block.First = _next;
        block.Count = count;
        Interlocked.Add(ref _next, count);
        return count > 0;
    }

    public void ForEach(MoleculeBlock block, MoleculeAction encode)
    {
        char[] buffer = _buffers.Value!;
        for (long index = block.First; index < block.First + block.Count; index++)
            encode(block, index, buffer.AsSpan(0, source.Write(index, buffer)));
    }

    public void Dispose() => _buffers.Dispose();
}
