namespace Ashlar.Files;

/// <summary>
/// One at a time decides about the copies of a block: of two who look after it, the one would take away what the other has made and is
/// about to record. Any thread.
/// </summary>
sealed class BlockLatches
{
    readonly Lock gate = new();
    readonly Dictionary<CustomerBlock, Latch> latches = [];

    /// <summary>Waits for the others. Dispose what is returned.</summary>
    public async Task<IDisposable> TakeAsync(CustomerBlock block, CancellationToken cancellationToken = default)
    {
        Latch? latch;
        lock (gate)
        {
            if (!latches.TryGetValue(block, out latch)) latches.Add(block, latch = new Latch(this, block));
            latch.Users++;
        }

        try
        {
            await latch.Turn.WaitAsync(cancellationToken);
            return latch;
        }
        catch
        {
            Leave(latch);
            throw;
        }
    }

    void Leave(Latch latch)
    {
        lock (gate)
            if (--latch.Users == 0) latches.Remove(latch.Block);
    }

    sealed class Latch(BlockLatches all, CustomerBlock block) : IDisposable
    {
        public CustomerBlock Block => block;

        public SemaphoreSlim Turn { get; } = new(1);

        public int Users { get; set; }

        public void Dispose()
        {
            Turn.Release();
            all.Leave(this);
        }
    }
}
