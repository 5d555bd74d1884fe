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
        var values = new ValueSegments(new StoreFiles(TestStore.NewDisk(), TestStore.Directory), PlantedBug.None, cache);
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

    void RequireValue(int number, bool clear = true)
    {
        if (clear) buffer.Clear();
        Span<byte> place = stackalloc byte[ValuePlace.EncodedBytes];
        var expected = file.Original.AsSpan(number * StrideBytes, ValueBytes);
        new ValuePlace(7, number * StrideBytes, ValueBytes, Crc32C.Compute(expected)).Write(place);
        Assert.True(buffer.Resolve(EntryKind.PutInLog, place).SequenceEqual(expected));
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
