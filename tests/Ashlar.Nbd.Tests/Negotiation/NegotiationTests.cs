using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Negotiation;

/// <summary>Choosing an export and what to speak, as doc/proto.md has it.</summary>
public sealed class NegotiationTests
{
    [Fact]
    public async Task Go_tells_size_and_flags_and_what_was_asked_for()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        var answers = client.Ask(
            OptionCode.Go, NbdClient.InfoRequest("", InfoCode.Name, InfoCode.Description, InfoCode.BlockSize, (InfoCode)0x7777));

        Assert.Equal(OptionReplyCode.Ack, answers[^1].Code);
        var infos = answers[..^1].ToDictionary(a => (InfoCode)BinaryPrimitives.ReadUInt16BigEndian(a.Data), a => a.Data[2..]);
        Assert.Equal(
            new(
                64 << 20,
                TransmissionFlags.HasFlags | TransmissionFlags.SendFlush | TransmissionFlags.SendFua | TransmissionFlags.SendTrim
                | TransmissionFlags.SendWriteZeroes | TransmissionFlags.CanMultiConn | TransmissionFlags.SendCache
                | TransmissionFlags.SendFastZero),
            ExportSummary.Read(infos[InfoCode.Export]));
        Assert.Equal("disk"u8.ToArray(), infos[InfoCode.Name]);
        Assert.Equal("a disk for tests"u8.ToArray(), infos[InfoCode.Description]);
        Assert.Equal(BlockSizes.Offered, BlockSizes.Read(infos[InfoCode.BlockSize]));
        client.MustStillWork();
    }

    [Fact]
    public async Task Dont_fragment_is_offered_only_with_structured_replies()
    {
        await using var fixture = new NbdFixture();
        using var plain = fixture.Open(structured: false);
        Assert.False(plain.Flags.HasFlag(TransmissionFlags.SendDontFragment));
        using var structured = fixture.Open();
        Assert.True(structured.Flags.HasFlag(TransmissionFlags.SendDontFragment));
    }

    [Fact]
    public async Task A_read_only_export_offers_nothing_that_writes()
    {
        await using var fixture = new NbdFixture(new TestDevice { IsReadOnly = true });
        using var client = fixture.Open();
        Assert.Equal(
            TransmissionFlags.HasFlags | TransmissionFlags.ReadOnly | TransmissionFlags.SendFlush | TransmissionFlags.SendFua
            | TransmissionFlags.SendDontFragment | TransmissionFlags.CanMultiConn | TransmissionFlags.SendCache,
            client.Flags);
    }

    [Fact]
    public async Task Info_does_not_end_the_haggling_and_holds_nothing()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Ack, client.Ask(OptionCode.Info, NbdClient.InfoRequest("disk"))[^1].Code);
        Assert.Equal(0, fixture.Leases);
        Assert.Equal(OptionReplyCode.Unknown, client.Ask(OptionCode.Info, NbdClient.InfoRequest("none")).Single().Code);
        client.Go("disk");
        Assert.Equal(1, fixture.Leases);
        client.MustStillWork();
    }

    [Fact]
    public async Task Questions_attach_nobody()
    {
        await using var fixture = new NbdFixture();
        var attached = 0;
        fixture.Front().Changed += (_, change) => attached += change.Kind == VolumeEventKind.Attached ? 1 : 0;
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.Ask(OptionCode.List);
        client.Ask(OptionCode.Info, NbdClient.InfoRequest("disk"));
        client.SelectBaseAllocation("disk");
        Assert.Equal(0, attached);
        client.Go("disk");
        Assert.Equal(1, attached);
        var session = Assert.Single(fixture.Front().Sessions);
        Assert.Equal(client.Socket.LocalEndPoint!.ToString(), session.Client.Address);
    }

    [Theory]
    [InlineData(1, 134)]
    [InlineData(3, 10)]
    public async Task Export_name_answers_with_padding_unless_waived(uint flags, int answerBytes)
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet((ClientFlags)flags);
        client.SendOption(OptionCode.ExportName, "disk"u8.ToArray());
        var answer = client.Receive(answerBytes);
        Assert.Equal(64UL << 20, ExportSummary.Read(answer).ExportBytes);
        Assert.All(answer[ExportSummary.SizeBytes..], b => Assert.Equal(0, b));
        client.MustStillWork();
    }

    [Fact]
    public async Task List_names_every_export()
    {
        await using var fixture = new NbdFixture();
        fixture.Add("größer", new TestDevice());
        using var client = fixture.Dial();
        client.Greet();
        var answers = client.Ask(OptionCode.List);
        Assert.Equal([NbdClient.String("disk"), NbdClient.String("größer")], answers[..^1].Select(a => a.Data));
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.List, 1).Single().Code);
    }

    [Fact]
    public async Task Abort_is_acknowledged_and_closes()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Ack, client.Ask(OptionCode.Abort).Single().Code);
        client.MustBeCutOff();
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task Metadata_contexts_need_structured_replies()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        var query = NbdClient.ContextQuery("disk", "base:allocation");
        Assert.Equal(OptionReplyCode.Invalid, client.Ask(OptionCode.SetMetaContext, query).Single().Code);
        client.RequestStructuredReplies();
        Assert.Equal(OptionReplyCode.MetaContext, client.Ask(OptionCode.SetMetaContext, query)[0].Code);
    }

    [Theory]
    [InlineData(true, "base:allocation", true)]
    [InlineData(false, "base:allocation", true)]
    [InlineData(true, "base:", true)]
    [InlineData(false, "base:", false)] // A wildcard lists, but selects nothing.
    [InlineData(true, null, true)] // No query lists everything,
    [InlineData(false, null, false)] // but selects nothing.
    [InlineData(true, "qemu:dirty-bitmap:x", false)]
    [InlineData(false, "qemu:dirty-bitmap:x", false)]
    public async Task Queries_find_the_allocation_context(bool list, string? query, bool found)
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        var answers = client.Ask(
            list ? OptionCode.ListMetaContext : OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", query is null ? [] : [query]));
        Assert.Equal(OptionReplyCode.Ack, answers[^1].Code);
        Assert.Equal(found ? 2 : 1, answers.Count);
        if (found) Assert.Equal([0, 0, 0, (byte)(list ? 0 : 1), .. "base:allocation"u8], answers[0].Data);
    }

    [Fact]
    public async Task A_selection_counts_only_for_its_own_export_and_ends_with_the_next_one()
    {
        await using var fixture = new NbdFixture();
        fixture.Add("other", new TestDevice());
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.SelectBaseAllocation("other");
        client.Go("disk");
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, 512));

        using var second = fixture.Dial();
        second.Greet();
        second.RequestStructuredReplies();
        second.SelectBaseAllocation("disk");
        Assert.Equal(OptionReplyCode.Invalid, second.Ask(OptionCode.SetMetaContext, 1).Single().Code);
        second.Go("disk");
        Assert.Equal(NbdError.Invalid, second.ErrorOf(CommandCode.BlockStatus, 0, 512));
    }

    [Fact]
    public async Task The_default_export_and_its_name_are_one_for_contexts()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.SelectBaseAllocation("");
        client.Go("disk");
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.BlockStatus, 0, 512));
    }

    [Fact]
    public async Task An_unknown_option_is_refused_and_haggling_goes_on()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.Unsupported, client.Ask((OptionCode)12).Single().Code);
        Assert.Equal(OptionReplyCode.Unsupported, client.Ask((OptionCode)0xdeadbeef, 1, 2, 3).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }

    [Fact]
    public async Task Data_longer_than_sensible_are_skipped_and_refused()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Dial();
        client.Greet();
        Assert.Equal(OptionReplyCode.TooBig, client.Ask(OptionCode.Info, new byte[70_000]).Single().Code);
        client.Go("disk");
        client.MustStillWork();
    }
}
