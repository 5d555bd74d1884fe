namespace Ashlar.Transport.Tests.Connections;

/// <summary>Units arrive whole and in order, however the network cuts them.</summary>
public sealed class ReceiveTests : IDisposable
{
    const int BufferBytes = 128 * 1024;

    readonly SocketPair pair = new();

    [Fact]
    public void A_stream_split_at_any_byte_is_the_same_stream()
    {
        int[] unitBytes = [1, 4, 16, 3, 8];
        var stream = Bytes(unitBytes.Sum());
        for (var split = 1; split < stream.Length; split++)
        {
            pair.Client.Send(stream.AsSpan(0, split));
            Assert.True(pair.Connection.WaitForData());
            Assert.True(pair.Connection.Buffered.SequenceEqual(stream.AsSpan(0, split)));
            pair.Client.Send(stream.AsSpan(split));
            var at = 0;
            foreach (var length in unitBytes)
            {
                var unit = new byte[length];
                pair.Connection.Receive(unit);
                Assert.True(stream.AsSpan(at, length).SequenceEqual(unit));
                at += length;
            }
            Assert.Equal(0, pair.Connection.BufferedBytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(BufferBytes / 4 - 1)]
    [InlineData(BufferBytes / 4)]
    [InlineData(BufferBytes - 1)]
    [InlineData(BufferBytes)]
    [InlineData(BufferBytes + 1)]
    [InlineData(3 * BufferBytes + 17)]
    [InlineData(8 << 20)]
    public async Task A_unit_smaller_or_larger_than_the_buffer_is_whole_and_so_is_the_next(int lengthBytes)
    {
        var stream = Bytes(lengthBytes + 5);
        var sending = Task.Run(() => pair.Client.Send(stream));
        var unit = new byte[lengthBytes];
        pair.Connection.Receive(unit);
        Assert.True(stream.AsSpan(0, lengthBytes).SequenceEqual(unit));
        var next = new byte[5];
        pair.Connection.Receive(next);
        Assert.Equal(stream[lengthBytes..], next);
        await sending;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(BufferBytes)]
    [InlineData((2 * BufferBytes) + 1)]
    public async Task Skipping_leaves_exactly_what_follows(int skippedBytes)
    {
        var stream = Bytes(3 + skippedBytes + 3);
        var sending = Task.Run(() => pair.Client.Send(stream));
        var edge = new byte[3];
        pair.Connection.Receive(edge);
        Assert.Equal(stream[..3], edge);
        pair.Connection.Skip(skippedBytes);
        pair.Connection.Receive(edge);
        Assert.Equal(stream[^3..], edge);
        await sending;
    }

    [Fact]
    public void Units_that_arrive_together_are_seen_to_be_there()
    {
        pair.Client.Send(Bytes(30));
        Assert.True(pair.Connection.WaitForData());
        pair.Connection.Receive(new byte[10]);
        Assert.Equal(20, pair.Connection.BufferedBytes);
        Assert.True(pair.Connection.Buffered.SequenceEqual(Bytes(30).AsSpan(10)));
        Assert.True(pair.Connection.WaitForData());
        pair.Connection.Receive(new byte[20]);
        Assert.Equal(0, pair.Connection.BufferedBytes);
    }

    [Fact]
    public void Nothing_is_received_without_a_byte_on_the_wire()
    {
        pair.Connection.Receive([]);
        pair.Connection.Skip(0);
        Assert.Equal(0, pair.Connection.BufferedBytes);
        pair.Client.Send([7]);
        var first = new byte[1];
        pair.Connection.Receive(first);
        Assert.Equal(7, first[0]);
    }

    [Fact]
    public void The_end_of_the_client_ends_the_wait_for_data_but_breaks_a_unit()
    {
        pair.Client.Send([1, 2]);
        pair.Client.Dispose();
        Assert.True(pair.Connection.WaitForData());
        Assert.Throws<ConnectionException>(() => pair.Connection.Receive(new byte[3]));
        Assert.False(pair.Connection.WaitForData());
    }

    static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)(i * 31 + i / 251);
        return bytes;
    }

    public void Dispose() => pair.Dispose();
}
