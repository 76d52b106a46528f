using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Reader -> workers -> writer, with a fixed number of blocks going round, so memory is bounded whatever the input. Blocks
/// reach the writer in the order they were read: the outcome does not depend on the number of workers.
/// </summary>
internal sealed class BlockPipeline : IDisposable
{
    private const int WorkerStackBytes = 16 << 20;

    private readonly BlockingCollection<Slot> _free = [];
    private readonly BlockingCollection<Slot> _work = [];
    private readonly BlockingCollection<Slot> _ordered = [];
    private readonly CancellationTokenSource _stop;
    private ExceptionDispatchInfo? _readerError;
    private ExceptionDispatchInfo? _workerError;

    private BlockPipeline(int threads, CancellationToken cancellation)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        for (int i = 0; i < threads * 3 + 2; i++) _free.Add(new Slot());
    }

    /// <summary>Runs until the reader has no more or the writer has enough.</summary>
    /// <param name="threads">Workers.</param>
    /// <param name="fill">Fills a block; false at the end. Its exceptions are rethrown after everything read before was written.</param>
    /// <param name="workers">Makes what one worker does with a block.</param>
    /// <param name="write">Takes a block, on the calling thread; false: enough.</param>
    /// <param name="cancellation">Gives everything up.</param>
    public static void Run(
        int threads,
        Func<MoleculeBlock, bool> fill,
        Func<Action<MoleculeBlock>> workers,
        Func<MoleculeBlock, bool> write,
        CancellationToken cancellation)
    {
        using BlockPipeline pipeline = new(threads, cancellation);
        List<Thread> running = [Start(() => pipeline.Read(fill), "molecule reader", 0)];
        for (int i = 0; i < threads; i++) running.Add(Start(() => pipeline.Work(workers), "molecule encoder", WorkerStackBytes));
        try
        {
            pipeline.Write(write);
        }
        finally
        {
            pipeline._stop.Cancel();
            foreach (Thread thread in running) thread.Join();
        }
        pipeline._workerError?.Throw();
        cancellation.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        foreach (BlockingCollection<Slot> queue in (ReadOnlySpan<BlockingCollection<Slot>>)[_free, _work, _ordered]) queue.Dispose();
        _stop.Dispose();
    }

    private static Thread Start(Action body, string name, int stackBytes)
    {
        Thread thread = new(() => body(), stackBytes) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    private void Read(Func<MoleculeBlock, bool> fill)
    {
        try
        {
            while (true)
            {
                Slot slot = _free.Take(_stop.Token);
                slot.Block.Clear();
                if (!fill(slot.Block)) break;
                _ordered.Add(slot);
                _work.Add(slot);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            _readerError = ExceptionDispatchInfo.Capture(e);
        }
        _ordered.CompleteAdding();
        _work.CompleteAdding();
    }

    private void Work(Func<Action<MoleculeBlock>> workers)
    {
        try
        {
            Action<MoleculeBlock> encode = workers();
            foreach (Slot slot in _work.GetConsumingEnumerable(_stop.Token))
            {
                encode(slot.Block);
                slot.Done.Set();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _workerError, ExceptionDispatchInfo.Capture(e), null);
            _stop.Cancel();
        }
    }

    private void Write(Func<MoleculeBlock, bool> write)
    {
        try
        {
            foreach (Slot slot in _ordered.GetConsumingEnumerable(_stop.Token))
            {
                slot.Done.Wait(_stop.Token);
                slot.Done.Reset();
                if (!write(slot.Block)) return;
                _free.Add(slot);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The caller looks up why.
            return;
        }
        _readerError?.Throw();
    }

    private sealed class Slot
    {
        public MoleculeBlock Block { get; } = new();

        public ManualResetEventSlim Done { get; } = new();
    }
}
