using System.Reflection;
using Ashlar.Files;

namespace Ashlar.S3.Tests.Listing;

/// <summary>What a listing reads of the store.</summary>
public sealed class ListingCostTests
{
    [Fact]
    public async Task A_common_prefix_costs_a_few_rows_and_not_what_it_stands_for()
    {
        await using var rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        for (var i = 0; i < 10; i++)
        {
            for (var j = 0; j < 40; j++)
                await rig.Metadata.CommitInlineAsync(
                    rig.Customer, (ulong)((i * 100) + j + 1), new()
                    {
                        Path = FilePath.Parse($"/bucket/{i}-{j}"),
                        Tag = "t",
                        Inline = new byte[1],
                    });
        }

        var counted = DispatchProxy.Create<INamespace, CountingNames>();
        var counter = (CountingNames)(object)counted;
        counter.Names = rig.Metadata;
        var lister = new ObjectLister(counted, rig.Customer);
        var page = await lister.ListAsync(new("bucket", "", "-", null, 1000), default);
        Assert.Equal(10, page.Names.Count);
        Assert.InRange(counter.Rows, 10, 60);
        counter.Rows = 0;
        // And where none is in vain, as many as fit are read at once.
        Assert.Equal(400, (await lister.ListAsync(new("bucket", "", "x", null, 1000), default)).Names.Count);
        Assert.InRange(counter.Calls, 1, 40);
    }

    /// <summary>Counts what is listed.</summary>
    public class CountingNames : DispatchProxy
    {
        public INamespace Names { get; set; } = null!;

        public int Rows { get; set; }

        public int Calls { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls++;
            var result = targetMethod!.Invoke(Names, args);
            if (result is Task<ListPage> page) Rows += page.Result.Entries.Count;
            return result;
        }
    }
}
