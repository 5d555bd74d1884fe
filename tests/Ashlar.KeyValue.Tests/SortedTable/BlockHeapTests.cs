using System.Runtime.InteropServices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

public sealed unsafe class BlockHeapTests
{
    const int ChunkBytes = 128 << 10;

    [Theory, Seeds(count: 20)]
    public void Pieces_keep_what_is_written_to_them_whatever_comes_and_goes(ulong seed)
    {
        var random = new SeededRandom(seed);
        var heap = new BlockHeap(ChunkBytes);
        var pieces = new List<Piece>();
        for (var step = 0; step < 4000; step++)
        {
            if (pieces.Count > 0 && random.Next(pieces.Count + 100) > 150) Give(heap, pieces, random.Next(pieces.Count));
            else pieces.Add(Take(heap, random.Next(8) == 0 ? random.Next(1, 40_000) : random.Next(1, 600), (byte)step));
        }

        while (pieces.Count > 0) Give(heap, pieces, random.Next(pieces.Count));
        Assert.Equal(0, heap.UsedBytes);
        Assert.Equal(ChunkBytes, heap.TakenBytes); // All neighbours were joined, and all chunks but one are gone.
        heap.Close();
        Assert.Equal(0, heap.TakenBytes);
    }

    [Theory, Seeds(count: 5)]
    public void A_full_cache_that_changes_for_ever_takes_little_more_than_its_pieces(ulong seed)
    {
        const int Budget = 4 << 20;
        var random = new SeededRandom(seed);
        var heap = new BlockHeap(ChunkBytes);
        var clock = new Queue<Piece>(); // As in a cache: the oldest goes unless it was used since.
        var held = 0;
        for (var step = 0; step < 60_000; step++)
        {
            // What is cached changes its kind now and then, from values to blocks of tables and back.
            var bytes = step / 10_000 % 2 == 0 ? random.Next(200, 1200) : random.Next(3800, 4500);
            while (held + bytes > Budget)
            {
                var piece = clock.Dequeue();
                if (random.Next(3) == 0) clock.Enqueue(piece);
                else held -= Give(heap, piece);
            }

            clock.Enqueue(Take(heap, bytes, (byte)step));
            held += bytes;
            Assert.InRange(heap.TakenBytes, 0, step < 10_000 ? Budget / 10 * 11 : Budget / 10 * 16);
        }

        foreach (var piece in clock) Give(heap, piece);
        heap.Close();
        Assert.Equal(0, heap.TakenBytes);
    }

    [Fact]
    public void What_one_thread_gave_back_another_uses_again()
    {
        var heap = new BlockHeap(ChunkBytes);
        for (var thread = 0; thread < 8; thread++)
        {
            var worker = new Thread(() =>
            {
                var pieces = new List<Piece>();
                for (var i = 0; i < 100; i++) pieces.Add(Take(heap, 4000, (byte)i));
                while (pieces.Count > 0) Give(heap, pieces, pieces.Count - 1);
            });
            worker.Start();
            worker.Join();
            Assert.InRange(heap.TakenBytes, ChunkBytes, 4 * ChunkBytes);
        }

        heap.Close();
    }

    [Fact]
    public void A_closed_heap_frees_its_memory_when_the_last_reader_lets_go()
    {
        var heap = new BlockHeap(ChunkBytes);
        var kept = Take(heap, 1000, 7);
        var others = new List<Piece>();
        for (var i = 0; i < 300; i++) others.Add(Take(heap, 1000, (byte)i));
        while (others.Count > 0) Give(heap, others, 0);
        heap.Close();
        Assert.Equal(ChunkBytes, heap.TakenBytes);
        Assert.Equal(-1, new Span<byte>((void*)kept.Memory, kept.Bytes).IndexOfAnyExcept(kept.Content));
        heap.Release((void*)kept.Memory, kept.Bytes);
        Assert.Equal(0, heap.TakenBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(24)]
    [InlineData(25)]
    [InlineData(ChunkBytes / 4)]
    [InlineData((ChunkBytes / 4) + 1)]
    [InlineData(10 << 20)]
    public void A_piece_of_any_length_is_aligned_and_all_its_own(int bytes)
    {
        var heap = new BlockHeap(ChunkBytes);
        var before = Take(heap, bytes, 1);
        var piece = Take(heap, bytes, 2);
        var after = Take(heap, bytes, 3);
        var pieces = new List<Piece> { before, piece, after };
        Give(heap, pieces, 1);
        Give(heap, pieces, 0);
        Give(heap, pieces, 0);
        Assert.Equal(0, heap.UsedBytes);
        heap.Close();
    }

    [Theory]
    [InlineData(4 << 10)]
    [InlineData(2 << 20)]
    [InlineData(4 << 20)]
    [InlineData(32 << 20)]
    public void Chunks_of_any_size_give_and_join_pieces_up_to_their_longest(int chunkBytes)
    {
        var heap = new BlockHeap(chunkBytes);
        var pieces = new List<Piece>();
        for (var bytes = 1; bytes <= chunkBytes / 4; bytes = (bytes * 3) + 1) pieces.Add(Take(heap, bytes, (byte)bytes));
        pieces.Add(Take(heap, chunkBytes / 4, 1));
        Assert.InRange(heap.TakenBytes, chunkBytes, 2 * chunkBytes);
        while (pieces.Count > 0) Give(heap, pieces, pieces.Count / 2);
        Assert.Equal((0, chunkBytes), (heap.UsedBytes, heap.TakenBytes));
        heap.Close();
        Assert.Equal(0, heap.TakenBytes);
    }

    [Fact]
    public void What_is_longer_than_a_part_of_a_chunk_goes_back_to_the_system_at_once()
    {
        var heap = new BlockHeap(ChunkBytes);
        var piece = Take(heap, ChunkBytes, 1);
        Assert.Equal((ChunkBytes, ChunkBytes), (heap.UsedBytes, heap.TakenBytes));
        Give(heap, piece);
        Assert.Equal((0, 0), (heap.UsedBytes, heap.TakenBytes));
    }

    [Fact]
    public void Threads_share_it()
    {
        var heap = new BlockHeap(ChunkBytes);
        var threads = Enumerable.Range(1, 4).Select(number => new Thread(() =>
        {
            var random = new SeededRandom((ulong)number);
            var pieces = new List<Piece>();
            for (var step = 0; step < 20_000; step++)
            {
                if (pieces.Count > random.Next(60)) Give(heap, pieces, random.Next(pieces.Count));
                else pieces.Add(Take(heap, random.Next(1, 2000), (byte)number));
            }

            while (pieces.Count > 0) Give(heap, pieces, 0);
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal((0, ChunkBytes), (heap.UsedBytes, heap.TakenBytes));
        heap.Close();
    }

    [Fact]
    public void A_piece_that_is_given_back_twice_is_refused_also_when_it_was_joined_to_the_one_before()
    {
        var heap = new BlockHeap(ChunkBytes);
        var before = Take(heap, 100, 1);
        var piece = Take(heap, 100, 2);
        var after = Take(heap, 100, 3);
        Give(heap, before);
        Give(heap, piece);
        Assert.Throws<InvariantException>(() => heap.Release((void*)piece.Memory, piece.Bytes));
        Give(heap, after);
        heap.Close();
    }

    [Fact]
    public void A_piece_that_is_given_back_twice_is_refused()
    {
        var heap = new BlockHeap(ChunkBytes);
        var first = Take(heap, 100, 1);
        var second = Take(heap, 100, 2); // Keeps the first one's place from joining what is free behind.
        heap.Release((void*)first.Memory, first.Bytes);
        Assert.Throws<InvariantException>(() => heap.Release((void*)first.Memory, first.Bytes));
        heap.Release((void*)second.Memory, second.Bytes);
        heap.Close();
    }

    static Piece Take(BlockHeap heap, int bytes, byte content)
    {
        var memory = heap.Allocate(bytes);
        Assert.Equal(0UL, (nuint)memory % 16);
        NativeMemory.Fill(memory, (nuint)bytes, content);
        return new Piece((nint)memory, bytes, content);
    }

    static int Give(BlockHeap heap, List<Piece> pieces, int index)
    {
        var piece = pieces[index];
        pieces[index] = pieces[^1];
        pieces.RemoveAt(pieces.Count - 1);
        return Give(heap, piece);
    }

    static int Give(BlockHeap heap, Piece piece)
    {
        Assert.Equal(-1, new Span<byte>((void*)piece.Memory, piece.Bytes).IndexOfAnyExcept(piece.Content));
        heap.Release((void*)piece.Memory, piece.Bytes);
        return piece.Bytes;
    }

    readonly record struct Piece(nint Memory, int Bytes, byte Content);
}
