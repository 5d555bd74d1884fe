using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>Remembers what each block held at the last flush, so that a power cut can bring some of it back.</summary>
sealed class VolatileCache(IBlockDevice device, IEntropySource entropy) : IDisposable
{
    readonly SemaphoreSlim turn = new(1, 1);
    readonly SortedDictionary<long, byte[]> durable = [];

    public async ValueTask ChangeAsync(Lba start, long blockCount, bool isDurable, Func<ValueTask> change)
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var size = device.Geometry.BlockSizeBytes;
            for (var block = start.Value; block < start.Value + blockCount; block++)
            {
                if (durable.ContainsKey(block)) continue;
                var content = new byte[size];
                await device.ReadAsync(new Lba(block), content).ConfigureAwait(false);
                durable.Add(block, content);
            }
            await change().ConfigureAwait(false);
            if (!isDurable) return;
            for (var block = start.Value; block < start.Value + blockCount; block++) durable.Remove(block);
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await device.FlushAsync(cancellationToken).ConfigureAwait(false);
            durable.Clear();
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    public async ValueTask LoseAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            foreach (var (block, old) in durable)
            {
                var content = new byte[old.Length];
                await device.ReadAsync(new Lba(block), content).ConfigureAwait(false);
                // A third of the blocks had reached the medium, a third had not, a third are torn.
                switch (entropy.NextUInt64() % 3)
                {
                    case 0: continue;
                    case 1: old.CopyTo(content, 0); break;
                    default: Sectors.Mix(content, old, entropy); break;
                }
                await device.WriteAsync(new Lba(block), content).ConfigureAwait(false);
            }
            durable.Clear();
            await device.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }
}
