using System.Diagnostics.CodeAnalysis;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Pieces of blocks in memory, bounded in bytes; what was not asked for longest goes first. Many who ask for one piece wait for one fetch.
/// Content has its name for ever, so nothing in here ever becomes wrong. Any thread.
/// </summary>
/// <remarks>Who may read a file has to be found out before: the cache gives each customer its own blocks, and knows no more.</remarks>
/// <param name="source">Where pieces come from that are not here.</param>
/// <param name="boundBytes">Bytes of content that are kept.</param>
public sealed class MemoryCache(IPieceSource source, long boundBytes) : IPieceSource
{
    readonly IPieceSource source = source;
    readonly Lock gate = new();
    readonly Dictionary<BlockPiece, LinkedListNode<(BlockPiece Piece, SharedBuffer Buffer)>> kept = [];
    readonly LinkedList<(BlockPiece Piece, SharedBuffer Buffer)> byUse = new(); // The last that was asked for is the first.
    readonly Dictionary<BlockPiece, Fetch> fetches = [];
    long keptBytes, hits, misses;

    /// <summary>Bytes of content that it has.</summary>
    public long KeptBytes => Interlocked.Read(ref keptBytes);

    /// <summary>Requests that were answered from memory, and those that were not.</summary>
    public (long Hits, long Misses) Requests => (Interlocked.Read(ref hits), Interlocked.Read(ref misses));

    /// <inheritdoc />
    public async Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Fetch fetch;
        lock (gate)
        {
            if (kept.TryGetValue(piece, out var found))
            {
                hits++;
                byUse.Remove(found);
                byUse.AddFirst(found);
                found.Value.Buffer.Share();
                return found.Value.Buffer;
            }

            misses++;
            if (!fetches.TryGetValue(piece, out var running)) fetches.Add(piece, running = new Fetch(this, piece));
            running.Waiters++;
            fetch = running;
        }

        // One who leaves does not end it for the others; the last who leaves does.
        try
        {
            var buffer = await fetch.Result.WaitAsync(cancellationToken);
            buffer.Share();
            return buffer;
        }
        finally
        {
            bool isLast, hasEnded;
            lock (gate)
            {
                (isLast, hasEnded) = (--fetch.Waiters == 0, fetch.HasEnded);
                if (isLast && !hasEnded && fetches.GetValueOrDefault(piece) == fetch)
                    fetches.Remove(piece); // Who comes now begins anew.
            }

            // Invariant: the fetch has a share until it has ended and nobody waits for it any more.
            if (isLast && hasEnded) fetch.Release();
            else if (isLast) await fetch.CancelAsync();
        }
    }

    void End(BlockPiece piece, Fetch fetch, SharedBuffer? buffer)
    {
        bool isLast;
        lock (gate)
        {
            fetch.Buffer = buffer;
            fetch.HasEnded = true;
            isLast = fetch.Waiters == 0;
            if (fetches.GetValueOrDefault(piece) == fetch) fetches.Remove(piece);
            if (buffer is not null && buffer.LengthBytes <= boundBytes && !kept.ContainsKey(piece)) Keep(piece, buffer);
        }

        if (isLast) fetch.Release();
    }

    void Keep(BlockPiece piece, SharedBuffer buffer)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        buffer.Share();
        buffer.Keep();
        kept.Add(piece, byUse.AddFirst((piece, buffer)));
        keptBytes += buffer.LengthBytes;
        while (keptBytes > boundBytes)
        {
            var oldest = byUse.Last!.Value;
            byUse.RemoveLast();
            kept.Remove(oldest.Piece);
            keptBytes -= oldest.Buffer.LengthBytes;
            oldest.Buffer.Release();
        }

        Invariant.Require(keptBytes >= 0 && kept.Count == byUse.Count);
    }

    [SuppressMessage("Design", "CA1001", Justification = "A source without a timer has nothing to dispose of.")]
    sealed class Fetch
    {
        readonly CancellationTokenSource cancellation = new();

        public Fetch(MemoryCache cache, BlockPiece piece) => Result = Task.Run(() => RunAsync(cache, piece));

        public Task<SharedBuffer> Result { get; }

        public int Waiters { get; set; }

        public bool HasEnded { get; set; }

        public SharedBuffer? Buffer { get; set; }

        public Task CancelAsync() => cancellation.CancelAsync();

        public void Release() => Buffer?.Release();

        async Task<SharedBuffer> RunAsync(MemoryCache cache, BlockPiece piece)
        {
            SharedBuffer? buffer = null;
            try
            {
                buffer = Fit(await cache.source.FetchAsync(piece, cancellation.Token));
                return buffer;
            }
            finally
            {
                cache.End(piece, this, buffer);
            }
        }

        // A buffer that is nearly empty would take more than it counts.
        static SharedBuffer Fit(SharedBuffer buffer)
        {
            if (buffer.LengthBytes > buffer.Space.Length / 2) return buffer;
            var copy = SharedBuffer.Of(buffer.Content.ToArray());
            buffer.Release();
            return copy;
        }
    }
}
