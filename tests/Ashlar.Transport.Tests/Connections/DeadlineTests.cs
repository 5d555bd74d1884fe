using System.Net.Sockets;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Connections;

/// <summary>A client can waste time only within limits, and only its own.</summary>
public sealed class DeadlineTests
{
    static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task A_client_silent_in_its_handshake_is_cut_off()
    {
        await using var fixture = new ListenerFixture(EchoProtocol.ServeHandshake, handshake: Short);
        using var client = fixture.Dial();
        Assert.Equal(0, client.MustBeCutOff());
        Assert.Contains("the handshake took too long", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_silent_in_the_middle_of_a_unit_of_its_handshake_is_cut_off()
    {
        await using var fixture = new ListenerFixture(EchoProtocol.ServeHandshake, handshake: Short);
        using var client = fixture.Dial();
        client.Send([5, 0]);
        Assert.Equal(0, client.MustBeCutOff());
        Assert.Contains("the handshake took too long", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_never_idle_in_its_handshake_is_cut_off()
    {
        await using var fixture = new ListenerFixture(EchoProtocol.ServeHandshake, handshake: Short);
        using var client = fixture.Dial();
        client.DripUntilCutOff(); // Units without content, one after the other.
        Assert.Contains("the handshake took too long", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_does_not_read_in_its_handshake_is_cut_off_as_early()
    {
        await using var fixture = new ListenerFixture((connection, _) => SendForEver(connection), handshake: Short);
        using var client = fixture.Dial();
        Assert.Contains("the handshake took too long", fixture.NextReport(), StringComparison.Ordinal);
        client.MustBeCutOff();
    }

    [Fact]
    public async Task Between_units_a_client_may_be_silent_as_long_as_it_likes()
    {
        await using var fixture = new ListenerFixture(handshake: Short, transfer: Short);
        using var client = fixture.Dial();
        client.MustEcho([1]);
        client.Socket.ReceiveTimeout = 5 * (int)Short.TotalMilliseconds;
        var silence = Assert.Throws<SocketException>(() => client.Socket.Receive(new byte[1]));
        Assert.Contains(silence.SocketErrorCode, new[] { SocketError.TimedOut, SocketError.WouldBlock });
        client.Socket.ReceiveTimeout = 20_000;
        client.MustEcho([2]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(EchoProtocol.HeaderBytes)]
    [InlineData(EchoProtocol.HeaderBytes + 99)]
    public async Task A_client_that_stops_in_the_middle_of_a_unit_is_cut_off(int sentBytes)
    {
        await using var fixture = new ListenerFixture(transfer: Short);
        using var client = fixture.Dial();
        client.Send(EchoProtocol.UnitOf(new byte[100]).AsSpan(0, sentBytes));
        Assert.Equal(0, client.MustBeCutOff());
        Assert.Contains("too slow in the middle of a unit", fixture.NextReport(), StringComparison.Ordinal);
        fixture.OthersAreWell();
    }

    [Fact]
    public async Task A_client_that_drips_a_unit_is_cut_off()
    {
        await using var fixture = new ListenerFixture(transfer: Short);
        using var client = fixture.Dial();
        client.Send([0, 0, 0, 32]); // 512 MiB
        client.DripUntilCutOff();
        Assert.Contains("too slow in the middle of a unit", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_drips_a_payload_that_is_refused_is_cut_off_as_well()
    {
        await using var fixture = new ListenerFixture(
            (connection, _) =>
            {
                connection.HandshakeCompleted();
                connection.Skip(1L << 40);
            },
            transfer: Short);
        using var client = fixture.Dial();
        client.DripUntilCutOff(4096); // Each 4 KiB come soon; there is no end of them.
        Assert.Contains("too slow in the middle of a unit", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_never_reads_its_replies_is_cut_off()
    {
        await using var fixture = new ListenerFixture(
            (connection, _) =>
            {
                connection.HandshakeCompleted();
                SendForEver(connection);
            },
            transfer: Short);
        using var client = fixture.Dial();
        Assert.Contains("does not read its replies", fixture.NextReport(), StringComparison.Ordinal);
        client.MustBeCutOff();
    }

    [Fact]
    public async Task The_cause_is_reported_also_when_another_thread_was_sending()
    {
        await using var fixture = new ListenerFixture(
            (connection, _) =>
            {
                connection.HandshakeCompleted();
                var sender = new Thread(() => Assert.Throws<ConnectionException>(() => SendForEver(connection)));
                sender.Start();
                try
                {
                    connection.WaitForData();
                }
                finally
                {
                    sender.Join();
                }
            },
            transfer: Short);
        using var client = fixture.Dial();
        Assert.Contains("does not read its replies", fixture.NextReport(), StringComparison.Ordinal);
        client.MustBeCutOff();
    }

    static void SendForEver(Connection connection)
    {
        var reply = new byte[64 << 10];
        while (true) connection.Send(reply);
    }
}
