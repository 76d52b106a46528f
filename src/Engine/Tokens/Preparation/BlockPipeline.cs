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

    private readonly BlockingCollection<Slot> free = [];
    private readonly BlockingCollection<Slot> work = [];
    private readonly BlockingCollection<Slot> ordered = [];
    private readonly CancellationTokenSource stop;
    private ExceptionDispatchInfo? readerError;
    private ExceptionDispatchInfo? workerError;

    private BlockPipeline(int threads, CancellationToken cancellation)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        for (int i = 0; i < threads * 3 + 2; i++) free.Add(new Slot());
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
            pipeline.stop.Cancel();
            foreach (Thread thread in running) thread.Join();
        }
        pipeline.workerError?.Throw();
        cancellation.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        foreach (BlockingCollection<Slot> queue in (ReadOnlySpan<BlockingCollection<Slot>>)[free, work, ordered]) queue.Dispose();
        stop.Dispose();
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
                Slot slot = free.Take(stop.Token);
                slot.Block.Clear();
                if (!fill(slot.Block)) break;
                ordered.Add(slot);
                work.Add(slot);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            readerError = ExceptionDispatchInfo.Capture(e);
        }
        ordered.CompleteAdding();
        work.CompleteAdding();
    }

    private void Work(Func<Action<MoleculeBlock>> workers)
    {
        try
        {
            Action<MoleculeBlock> encode = workers();
            foreach (Slot slot in work.GetConsumingEnumerable(stop.Token))
            {
                encode(slot.Block);
                slot.Done.Set();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref workerError, ExceptionDispatchInfo.Capture(e), null);
            stop.Cancel();
        }
    }

    private void Write(Func<MoleculeBlock, bool> write)
    {
        try
        {
            foreach (Slot slot in ordered.GetConsumingEnumerable(stop.Token))
            {
                slot.Done.Wait(stop.Token);
                slot.Done.Reset();
                if (!write(slot.Block)) return;
                free.Add(slot);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The caller looks up why.
            return;
        }
        readerError?.Throw();
    }

    private sealed class Slot
    {
        public MoleculeBlock Block { get; } = new();

        public ManualResetEventSlim Done { get; } = new();
    }
}
