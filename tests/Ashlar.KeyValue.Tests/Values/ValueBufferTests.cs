using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class ValueBufferTests
{
    const int ValueBytes = 1000;
    const int StrideBytes = 1040;
    const int Count = 1000;

    readonly CountedFile file = new(Count * StrideBytes);
    readonly BlockCache cache = new(0);
    readonly ValueBuffer buffer;

    public ValueBufferTests()
    {
        var values = new ValueSegments(new StoreFiles(TestStore.NewDisk(), TestStore.Directory), cache);
        values.Add(file, 7, 0);
        buffer = new ValueBuffer(values);
    }

    [Fact]
    public void Values_that_follow_each_other_are_read_ahead()
    {
        for (var i = 0; i < Count; i++) RequireValue(i);
        Assert.InRange(file.Reads, 2, 15);
    }

    [Fact]
    public void Values_that_precede_each_other_are_read_ahead()
    {
        for (var i = Count - 1; i >= 0; i--) RequireValue(i);
        Assert.InRange(file.Reads, 2, 15);
    }

    [Fact]
    public void Values_in_no_order_are_read_alone()
    {
        for (var i = 0; i < Count; i++) RequireValue(i * 387 % Count);
        Assert.InRange(file.BytesRead, 1, Count * ValueBytes);
    }

    [Fact]
    public void A_value_is_read_once_however_often_it_is_asked_for()
    {
        RequireValue(5, clear: false);
        RequireValue(5, clear: false);
        Assert.Equal(1, file.Reads);
    }

    [Fact]
    public void Damage_ahead_fails_the_value_that_is_damaged_and_no_other()
    {
        file.Content[(20 * StrideBytes) + 3] ^= 1;
        for (var i = 0; i < 20; i++) RequireValue(i);
        Assert.Throws<CorruptDataException>(() => RequireValue(20));
        RequireValue(21);
    }

    [Fact]
    public void A_segment_that_ends_early_fails_the_values_that_are_gone_and_no_other()
    {
        file.Cut((20 * StrideBytes) + 10);
        for (var i = 0; i < 20; i++) RequireValue(i);
        Assert.Throws<CorruptDataException>(() => RequireValue(20));
        RequireValue(19);
    }

    [Fact]
    public void Asking_ahead_takes_no_memory_once_it_is_under_way()
    {
        Span<byte> place = stackalloc byte[ValuePlace.EncodedBytes];
        var allocated = 0L;
        for (var round = 0; round < 3; round++)
        {
            RequireValue(100);
            RequireValue(300);
            buffer.Clear();
            Assert.Equal(2, buffer.WantedAhead);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 20; i++)
            {
                WritePlace(i * 37, place);
                buffer.Prefetch(EntryKind.PutInLog, place);
            }

            buffer.EndPrefetch();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(3 * 20, file.Hints);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Values_close_to_each_other_are_asked_for_as_one()
    {
        RequireValue(100);
        RequireValue(300);
        Span<byte> place = stackalloc byte[ValuePlace.EncodedBytes];
        foreach (var number in (int[])[500, 20, 502, 505, 21, 900])
        {
            WritePlace(number, place);
            buffer.Prefetch(EntryKind.PutInLog, place);
        }

        buffer.EndPrefetch();
        Assert.Equal(3, file.Hints);
    }

    void RequireValue(int number, bool clear = true)
    {
        if (clear) buffer.Clear();
        Span<byte> place = stackalloc byte[ValuePlace.EncodedBytes];
        WritePlace(number, place);
        Assert.True(buffer.Resolve(EntryKind.PutInLog, place).SequenceEqual(file.Original.AsSpan(number * StrideBytes, ValueBytes)));
    }

    void WritePlace(int number, Span<byte> place)
    {
        var value = file.Original.AsSpan(number * StrideBytes, ValueBytes);
        new ValuePlace(7, number * StrideBytes, ValueBytes, Crc32C.Compute(value)).Write(place);
    }

    sealed class CountedFile : IFile
    {
        public CountedFile(int length)
        {
            Content = new byte[length];
            new Random(3).NextBytes(Content);
            Original = [.. Content];
        }

        public byte[] Content { get; private set; }

        public byte[] Original { get; }

        public int Reads { get; private set; }

        public long BytesRead { get; private set; }

        public int Hints { get; private set; }

        public string Path => "/segment";

        public long LengthBytes => Content.Length;

        public long AllocatedBytes => Content.Length;

        public void Cut(int length) => Content = Content[..length];

        public int Read(Span<byte> destination, long offsetBytes)
        {
            Reads++;
            var count = (int)Math.Clamp(Content.Length - offsetBytes, 0, destination.Length);
            Content.AsSpan((int)Math.Min(offsetBytes, Content.Length), count).CopyTo(destination);
            BytesRead += count;
            return count;
        }

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
        {
            bytesRead = 0;
            return false;
        }

        public void Prefetch(long offsetBytes, long lengthBytes) => Hints++;

        public void Write(ReadOnlySpan<byte> source, long offsetBytes) => throw new NotSupportedException();

        public void SetLength(long lengthBytes) => throw new NotSupportedException();

        public void Allocate(long offsetBytes, long lengthBytes) => throw new NotSupportedException();

        public void PunchHole(long offsetBytes, long lengthBytes) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
