using System.Text;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;

namespace Ashlar.Nbd.Tests.Negotiation;

/// <summary>Contexts that tell what has changed since a snapshot: how they are found, selected and answered.</summary>
public sealed class MetaContextTests
{
    const string Base = "base:allocation", Monday = "ashlar:dirty-since:monday", Tuesday = "ashlar:dirty-since:tuesday";

    [Theory]
    [InlineData(true, "", Base, Monday, Tuesday)]
    [InlineData(true, "ashlar:", Monday, Tuesday)]
    [InlineData(true, "ashlar:dirty-since:", Monday, Tuesday)]
    [InlineData(true, "ashlar:dirty-since:tuesday base:", Base, Tuesday)]
    [InlineData(true, "ashlar:dirty-since:none ashlar:dirty")]
    [InlineData(false, "")]
    [InlineData(false, "ashlar: ashlar:dirty-since:")] // Only lists take what stands for several.
    [InlineData(false, "ashlar:dirty-since:tuesday base:allocation ashlar:dirty-since:tuesday", Base, Tuesday)]
    [InlineData(false, "ashlar:dirty-since:monday ashlar:dirty-since:none", Monday)]
    public async Task Queries_find_the_contexts_of_snapshots(bool isList, string queries, params string[] found)
    {
        await using var fixture = Fixture();
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        var answers = client.Ask(
            isList ? OptionCode.ListMetaContext : OptionCode.SetMetaContext,
            NbdClient.ContextQuery("disk", queries.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(OptionReplyCode.Ack, answers[^1].Code);
        Assert.Equal(found, answers[..^1].Select(answer => Encoding.UTF8.GetString(answer.Data.AsSpan(4))));
        Assert.Equal(Enumerable.Range(1, found.Length).Select(i => isList ? 0 : i), answers[..^1].Select(answer => (int)answer.Data[3]));
    }

    [Fact]
    public async Task One_request_is_answered_for_each_context_that_is_selected()
    {
        await using var fixture = Fixture();
        using var client = Select(fixture, Base, Monday, Tuesday);
        var status = StatusReply.Read(client.Call(CommandCode.BlockStatus, 0, 4096));
        Assert.Equal([new(4096, 0)], status[1]);
        Assert.Equal([new(512, 1), new(3584, 0)], status[2]);
        Assert.Equal([new(1024, 0), new(3072, 1)], status[3]);

        // Bytes within blocks, and no more than one descriptor of each.
        status = StatusReply.Read(client.Call(CommandCode.BlockStatus, 100, 1000, CommandFlags.RequestOne));
        Assert.Equal([new(1000, 0)], status[1]);
        Assert.Equal([new(412, 1)], status[2]);
        Assert.Equal([new(924, 0)], status[3]);
    }

    [Fact]
    public async Task Where_a_snapshot_is_gone_its_context_is_refused_and_the_client_goes_on()
    {
        await using var fixture = Fixture();
        using var client = Select(fixture, Monday, Tuesday);
        ((ScriptedChanges)fixture.Origins["tuesday"]).IsGone = true;
        Assert.Equal(NbdError.Invalid, client.ErrorOf(CommandCode.BlockStatus, 0, 4096));
        client.MustStillWork();
        Assert.Empty(fixture.Reports);

        // Gone before it is used: the export is not opened for less than was selected.
        using var late = fixture.Dial();
        late.Greet();
        late.RequestStructuredReplies();
        late.SelectContexts("disk", Monday);
        fixture.Origins.Remove("monday");
        Assert.Equal(OptionReplyCode.Unknown, late.Ask(OptionCode.Go, NbdClient.InfoRequest("disk")).Single().Code);
        Assert.Equal(1, fixture.Leases);
        late.SelectContexts("disk", Base);
        late.Go("disk");
        late.MustStillWork();
    }

    [Fact]
    public async Task More_contexts_than_are_served_at_a_time_are_refused()
    {
        await using var fixture = Fixture();
        for (var i = 0; i < 40; i++) fixture.Origins[$"s{i}"] = new ScriptedChanges(_ => false);
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        string[] many = [.. Enumerable.Range(0, 17).Select(i => $"ashlar:dirty-since:s{i}")];
        Assert.Equal(OptionReplyCode.TooBig, client.Ask(OptionCode.SetMetaContext, NbdClient.ContextQuery("disk", many)).Single().Code);
        Assert.Equal(44, client.Ask(OptionCode.ListMetaContext, NbdClient.ContextQuery("disk")).Count);
        client.SelectContexts("disk", many[..16]);
        client.Go("disk");
        Assert.Equal(16, client.Call(CommandCode.BlockStatus, 0, 4096).Count);
    }

    [Theory]
    [InlineData(true, "", 1)]
    [InlineData(true, "base:", 0)]
    [InlineData(false, "", 0)]
    [InlineData(false, "base:allocation qemu:allocation-depth", 0)]
    [InlineData(false, "base:allocation ashlar:dirty-since:monday", 1)]
    public async Task Snapshots_are_looked_up_only_where_the_answer_has_to_do_with_them(bool isList, string queries, int times)
    {
        await using var fixture = Fixture();
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.Ask(
            isList ? OptionCode.ListMetaContext : OptionCode.SetMetaContext,
            NbdClient.ContextQuery("disk", queries.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(times, fixture.OriginsAsked);
    }

    [Fact]
    public async Task An_export_of_which_the_changes_cannot_be_opened_is_let_go()
    {
        await using var fixture = Fixture();
        fixture.OpenChanges = _ => throw new IOException("broken");
        using var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.SelectContexts("disk", Monday);
        client.SendOption(OptionCode.Go, NbdClient.InfoRequest("disk"));
        Assert.True(SpinWait.SpinUntil(() => fixture.Reports.Count > 0, TimeSpan.FromSeconds(20)));
        Assert.Equal(0, fixture.Leases);
    }

    [Fact]
    public async Task Changes_are_looked_up_a_little_at_a_time_until_the_time_of_the_reply_is_over()
    {
        await using var fixture = new NbdFixture(new EndlessDevice(64L << 30));
        var changes = new ScriptedChanges(_ => true);
        fixture.Origins["monday"] = changes;
        using var client = Select(fixture, Monday);
        client.Call(CommandCode.BlockStatus, 4096, 1 << 30);
        Assert.InRange(changes.MostAsked, 1, (32 << 20) / 4096);
    }

    static NbdFixture Fixture()
    {
        var fixture = new NbdFixture();
        fixture.Origins["monday"] = new ScriptedChanges(block => block == 0);
        fixture.Origins["tuesday"] = new ScriptedChanges(block => block >= 2);
        return fixture;
    }

    static NbdClient Select(NbdFixture fixture, params string[] contexts)
    {
        var client = fixture.Dial();
        client.Greet();
        client.RequestStructuredReplies();
        client.SelectContexts("disk", contexts);
        client.Go("disk");
        return client;
    }
}
