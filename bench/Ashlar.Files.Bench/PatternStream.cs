using System.Buffers.Binary;

namespace Ashlar.Files.Bench;

/// <summary>Content of some length that differs from place to place and from seed to seed, and costs little to make.</summary>
sealed class PatternStream(long length, ulong seed) : Stream
{
    const int StampEvery = 64 << 10;

    static readonly byte[] Noise = MakeNoise();

    long position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(Math.Min(buffer.Length, length - position), StampEvery - (position % StampEvery));
        if (count == 0) return 0;
        Noise.AsSpan((int)(position % StampEvery), count).CopyTo(buffer);
        if (position % StampEvery == 0 && count >= 16)
        {
            BinaryPrimitives.WriteInt64LittleEndian(buffer, position);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[8..], seed);
        }

        position += count;
        return count;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    static byte[] MakeNoise()
    {
        var noise = new byte[StampEvery];
        new Random(7).NextBytes(noise);
        return noise;
    }
}
