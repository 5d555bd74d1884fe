using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Hostile;

/// <summary>Bad input before an export is chosen. Every case: a clear answer or a cut, nothing leaked, others unharmed.</summary>
public sealed class HostileHandshakeTests : IAsyncLifetime
{
    readonly NbdFixture fixture = new(handshakeTimeout: TimeSpan.FromSeconds(15));

    [Fact]
    public async Task Silence_after_the_banner_is_cut_off()
    {
        await using var impatient = new NbdFixture(handshakeTimeout: TimeSpan.FromMilliseconds(200));
        using var client = impatient.Dial();
        client.Receive(Greeting.SizeBytes);
        client.MustBeCutOff();
    }

    [Fact]
    public async Task A_client_that_dribbles_bytes_is_cut_off_as_well()
    {
        await using var impatient = new NbdFixture(handshakeTimeout: TimeSpan.FromMilliseconds(500));
        using var client = impatient.Dial();
        client.Greet();
        using var stop = new CancellationTokenSource();
        var dribble = Task.Run(() =>
        {
            // One valid option after the other: the client is never idle, and never chooses.
            try
            {
                while (!stop.IsCancellationRequested) client.Ask(OptionCode.List);
            }
            catch (Exception e) when (e is System.Net.Sockets.SocketException or EndOfStreamException)
            {
                return true;
            }
            return false;
        });
        Assert.True(await dribble.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Single(impatient.Reports);
    }

    [Theory]
    [InlineData(4u)]
    [InlineData(0xffffffff)]
    public void Wrong_client_flags(uint flags)
    {
        using var client = fixture.Dial();
        client.Greet((ClientFlags)flags);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public void Wrong_option_magic()
    {
        using var client = fixture.Dial();
        client.Greet();
        client.Send(new byte[OptionHeader.SizeBytes]);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(6u)]
    [InlineData(10u)]
    [InlineData(999u)]
    public void Option_length_0xFFFFFFFF(uint option)
    {
        using var client = fixture.Dial();
        client.Greet();
        var header = new byte[OptionHeader.SizeBytes];
        new OptionHeader((OptionCode)option, uint.MaxValue).Write(header);
        client.Send(header);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public void A_name_of_4097_bytes()
    {
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Info, NbdClient.InfoRequest(new string('x', 4097))).Single().Code);
        Assert.Equal(OptionReplyCode.Unknown, client.Ask(OptionCode.Info, NbdClient.InfoRequest(new string('x', 4096))).Single().Code);
        client.SendOption(OptionCode.ExportName, new byte[4097]);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public void A_name_with_NUL_invalid_UTF8_or_dots()
    {
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Info, NbdClient.InfoRequest("di\0sk")).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Info, [0, 0, 0, 2, 0xc0, 0x80, 0, 0]).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Info, [0, 0, 0, 3, 0xed, 0xa0, 0x80, 0, 0]).Single().Code);
        Assert.Equal(OptionReplyCode.Unknown, client.Ask(OptionCode.Info, NbdClient.InfoRequest("../disk")).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void Unknown_option_1000_times_is_answered_each_time()
    {
        using var client = fixture.Dial();
        client.Greet();
        for (var i = 0; i < 1000; i++) Assert.Equal(OptionReplyCode.Unsupported, client.Ask((OptionCode)(1000 + i)).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void Options_without_end_are_cut_off()
    {
        using var client = fixture.Dial();
        client.Greet();
        for (var i = 0; i < Handshake.MaxOptions; i++) client.Ask((OptionCode)1000);
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public void STARTTLS_twice_is_refused_twice()
    {
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Policy, client.Ask(OptionCode.StartTls).Single().Code);
        Assert.Equal(OptionReplyCode.Policy, client.Ask(OptionCode.StartTls).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.StartTls, 1, 2).Single().Code);
    }

    [Fact]
    public void STARTTLS_then_plaintext_goes_on_in_plaintext_because_it_was_refused()
    {
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Policy, client.Ask(OptionCode.StartTls).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void STRUCTURED_REPLY_before_a_refused_STARTTLS_stays_negotiated()
    {
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        Assert.Equal(OptionReplyCode.Policy, client.Ask(OptionCode.StartTls).Single().Code);
        client.Go("disk");
        Assert.False(Assert.Single(client.Call(CommandCode.Read, 0, 512)).IsSimple);
    }

    [Fact]
    public void EXPORT_NAME_unknown_closes()
    {
        using var client = fixture.Dial();
        client.Greet();
        client.SendOption(OptionCode.ExportName, "none"u8.ToArray());
        client.MustBeCutOff();
        OthersAreWell();
    }

    [Fact]
    public void SET_META_CONTEXT_with_4294967295_queries()
    {
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        byte[] query = [.. NbdClient.String("disk"), .. NbdClient.UInt32(uint.MaxValue), .. NbdClient.String("base:allocation")];
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.SetMetaContext, query).Single().Code);
        byte[] longQuery = [.. NbdClient.String("disk"), .. NbdClient.UInt32(1), .. NbdClient.UInt32(uint.MaxValue)];
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.SetMetaContext, longQuery).Single().Code);
        byte[] noNamespace = NbdClient.ContextQuery("disk", "allocation");
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.SetMetaContext, noNamespace).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void INFO_whose_request_count_is_not_its_length()
    {
        using var client = fixture.Dial();
        client.Greet();
        var request = NbdClient.InfoRequest("disk", InfoCode.Name, InfoCode.BlockSize);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Info, request[..^2]).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Go, [.. request, 0]).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Go, [0xff, 0xff, 0xff, 0xff, 0, 0]).Single().Code);
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.Go).Single().Code);
        Assert.Equal(0, fixture.Leases);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public void Leaving_in_the_middle_of_an_option()
    {
        using (var client = fixture.Dial())
        {
            client.Greet();
            var header = new byte[OptionHeader.SizeBytes];
            new OptionHeader(OptionCode.Go, 100).Write(header);
            client.Send([.. header, 0, 0, 0]);
        }
        using (var client = fixture.Dial())
        {
            client.Greet();
            client.SendOption(OptionCode.Abort, 1, 2, 3);
        }
        OthersAreWell();
    }

    [Fact]
    public async Task More_connections_than_allowed_are_turned_away_and_the_others_go_on()
    {
        await using var small = new NbdFixture(maxConnections: 2);
        using var first = small.Open();
        using var second = small.Open();
        using var third = small.Dial();
        third.MustBeCutOff();
        first.MustStillWork();
        second.MustStillWork();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await fixture.DisposeAsync();

    void OthersAreWell()
    {
        using var other = fixture.Open();
        other.MustStillWork();
    }

    [Fact]
    public async Task Haggling_may_take_as_long_as_the_client_gets_on_with_it_and_no_longer()
    {
        var limit = TimeSpan.FromSeconds(1);
        await using var patient = new NbdFixture(handshakeTimeout: limit);
        using var client = patient.Dial();
        client.Greet();
        var start = System.Diagnostics.Stopwatch.StartNew();
        while (start.Elapsed < 2 * limit)
        {
            client.Ask(OptionCode.Info, NbdClient.InfoRequest("disk"));
            await Task.Delay(20);
        }
        // A part of an option is no progress.
        client.Send(new byte[] { (byte)'I' });
        client.MustBeCutOff();
        Assert.Contains("the handshake took too long", Assert.Single(patient.Reports), StringComparison.Ordinal);
    }
}
