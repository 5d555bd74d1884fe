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
    readonly Dictionary<BlockPiece, LinkedListNode<(BlockPiece Piece, byte[] Bytes)>> kept = [];
    readonly LinkedList<(BlockPiece Piece, byte[] Bytes)> byUse = new(); // The last that was asked for is the first.
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
                return SharedBuffer.Of(found.Value.Bytes);
            }

            misses++;
            if (!fetches.TryGetValue(piece, out var running)) fetches.Add(piece, running = new Fetch(this, piece));
            running.Waiters++;
            fetch = running;
        }

        // One who leaves does not end it for the others; the last who leaves does.
        try
        {
            return SharedBuffer.Of(await fetch.Result.WaitAsync(cancellationToken));
        }
        finally
        {
            bool isLast;
            lock (gate)
            {
                isLast = --fetch.Waiters == 0 && !fetch.Result.IsCompleted;
                if (isLast && fetches.GetValueOrDefault(piece) == fetch) fetches.Remove(piece); // Who comes now begins anew.
            }

            if (isLast) await fetch.CancelAsync();
        }
    }

    void Keep(BlockPiece piece, Fetch fetch, byte[]? bytes)
    {
        lock (gate)
        {
            if (fetches.GetValueOrDefault(piece) == fetch) fetches.Remove(piece);
            if (bytes is null || bytes.Length > boundBytes || kept.ContainsKey(piece)) return;
            kept.Add(piece, byUse.AddFirst((piece, bytes)));
            keptBytes += bytes.Length;
            while (keptBytes > boundBytes)
            {
                var oldest = byUse.Last!.Value;
                byUse.RemoveLast();
                kept.Remove(oldest.Piece);
                keptBytes -= oldest.Bytes.Length;
            }

            Invariant.Require(keptBytes >= 0 && kept.Count == byUse.Count);
        }
    }

    [SuppressMessage("Design", "CA1001", Justification = "A source without a timer has nothing to dispose of.")]
    sealed class Fetch
    {
        readonly CancellationTokenSource cancellation = new();

        public Fetch(MemoryCache cache, BlockPiece piece) => Result = Task.Run(() => RunAsync(cache, piece));

        public Task<byte[]> Result { get; }

        public int Waiters { get; set; }

        public Task CancelAsync() => cancellation.CancelAsync();

        async Task<byte[]> RunAsync(MemoryCache cache, BlockPiece piece)
        {
            byte[]? bytes = null;
            try
            {
                var buffer = await cache.source.FetchAsync(piece, cancellation.Token);
                bytes = buffer.Content.ToArray();
                buffer.Release();
                return bytes;
            }
            finally
            {
                cache.Keep(piece, this, bytes);
            }
        }
    }
}
