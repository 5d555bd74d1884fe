using System.Reflection;
using System.Text;
using Ashlar.Files;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.S3.Tests.Listing;

/// <summary>Listings, compared with a sorted set of keys that is listed as the specification says.</summary>
public sealed class ListingTests
{
    static readonly string[] Words = ["a", "b", "a-b", "foo", "foo1000", "é", "x.y", "a b", "0"];

    static readonly string[] Delimiters = ["", "/", "-", "o", "oo", "/a", "//", "é"];

    [Theory, Seeds(count: 2)]
    public async Task Pages_of_any_size_are_what_a_sorted_set_of_keys_gives(ulong seed)
    {
        await using var rig = await S3Rig.CreateAsync();
        var random = new SeededRandom(seed);
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        var keys = await PutAsync(rig, random);
        for (var round = 0; round < TestTier.Choose(120, 3000); round++)
        {
            var from = keys.ElementAt(random.Next(keys.Count));
            var prefix = random.OneIn(2) ? "" : from[..random.Next(from.Length + 1)];
            var delimiter = random.OneIn(2) ? "/" : random.Pick(Delimiters);
            var limit = random.Next(1, 12);
            var after = random.OneIn(3) ? keys.ElementAt(random.Next(keys.Count)) : "";
            if (after.Length > 0 && random.OneIn(2)) after = after[..random.Next(after.Length)];
            var expected = Model(keys, prefix, delimiter, after);
            var what = $"seed {seed}, round {round}: prefix '{prefix}', delimiter '{delimiter}', limit {limit}, after '{after}'";
            Assert.Equal(
                (what, string.Join('|', expected)), (what, string.Join('|', await ListV2Async(rig, prefix, delimiter, limit, after))));
            Assert.Equal(
                (what, string.Join('|', expected)), (what, string.Join('|', await ListV1Async(rig, prefix, delimiter, limit, after))));
            Assert.Equal((what, string.Join('|', expected)),
            (what, string.Join('|', await ListVersionsAsync(rig, prefix, delimiter, limit, after))));
        }
    }

    /// <summary>Stores that list wrongly, in front of a lister that does not: the comparison finds each of them.</summary>
    [Theory]
    [InlineData("begins a page too early")]
    [InlineData("passes by what follows a page")]
    [InlineData("forgets where a page begins within a directory")]
    [InlineData("lists all that lies below")]
    [InlineData("takes a prefix for a component")]
    public async Task A_store_that_lists_wrongly_is_found(string bug)
    {
        await using var rig = await S3Rig.CreateAsync();
        var random = new SeededRandom(9);
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        var keys = await PutAsync(rig, random);
        var store = FaultyNames.Over(rig.Metadata, request => bug switch
        {
            "begins a page too early" when !request.After.IsEmpty => request with { After = request.After[..^1] },
            "passes by what follows a page" when !request.After.IsEmpty => request with { After = (byte[])[.. request.After.Span, 0xFF] },
            "forgets where a page begins within a directory"
            when !request.IsRecursive && request.After.Length > request.Prefix.Length + 1 =>
                request with { After = request.After[..(request.Prefix.Length + 1)] },
            "lists all that lies below" => request with { IsRecursive = true },
            "takes a prefix for a component" when request.Prefix.Span[^1] != '/' => request with
            {
                Prefix = (byte[])[.. request.Prefix.Span, (byte)'/'],
            },
            _ => request,
        });
        for (var round = 0; round < 300; round++)
        {
            var from = keys.ElementAt(random.Next(keys.Count));
            var listing = new ObjectListing(
                "bucket", from[..random.Next(from.Length)], random.OneIn(2) ? "/" : "", null, random.Next(1, 8));
            var expected = Model(keys, listing.Prefix, listing.Delimiter, "");
            try
            {
                if (!expected.SequenceEqual(await ListAsync(new(store, rig.Customer), listing))) return;
            }
            catch (TimeoutException)
            {
                return;
            }
        }

        Assert.Fail("nothing was found");
    }

    [Fact]
    public async Task What_is_listed_of_an_object_is_what_it_says_of_itself()
    {
        await using var rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        var tag = (await rig.RunAsync("PUT", "/bucket/<key>", "content")).Must(200).Header("ETag");
        var list = await rig.RunAsync(
            rig.Call("GET", "/bucket").Ask("list-type", "2").Ask("fetch-owner", "true").Ask("encoding-type", "url"));
        Assert.Equal(("%3Ckey%3E", tag, "7", "2026-01-01T00:00:00.000Z"),
        (list.One("Key"), list.One("ETag"), list.One("Size"), list.One("LastModified")));
        Assert.Equal(("false", "1", "1000"), (list.One("IsTruncated"), list.One("KeyCount"), list.One("MaxKeys")));
        Assert.Equal("<key>", (await rig.RunAsync("GET", "/bucket")).One("Key"));
        Assert.Equal("null", (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("versions"))).One("VersionId"));
    }

    [Fact]
    public async Task Limits_that_are_none_are_refused_and_tokens_that_are_forged_show_nothing_else()
    {
        await using var rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/secret")).Must(200);
        (await rig.RunAsync("PUT", "/secret/key", "x")).Must(200);
        var list = rig.Call("GET", "/bucket").Ask("list-type", "2");
        (await rig.RunAsync(list.Ask("max-keys", "-1"))).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(list.Ask("max-keys", "x"))).MustFail(400, "InvalidArgument");
        Assert.Equal("1000", (await rig.RunAsync(list.Ask("max-keys", "1000000000"))).One("MaxKeys"));
        Assert.Equal("false", (await rig.RunAsync(list.Ask("max-keys", "0"))).One("IsTruncated"));
        (await rig.RunAsync(list.Ask("continuation-token", "nonsense!"))).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(list.Ask("encoding-type", "x"))).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("list-type", "3"))).MustFail(400, "InvalidArgument");
        foreach (var name in (string[])["../secret/", "\0", "/", "zzz"])
            Assert.Empty((await rig.RunAsync(list.Ask("continuation-token", new ListToken(name, true).ToString()))).Must(200).All("Key"));
        Assert.Empty((await rig.RunAsync(list.Ask("prefix", "../secret"))).Must(200).All("Key"));
        (await rig.RunAsync(list.Ask("prefix", "a\0b"))).MustFail(400, "InvalidArgument");
    }

    static async Task<SortedSet<string>> PutAsync(S3Rig rig, SeededRandom random)
    {
        var keys = new SortedSet<string>(Utf8Order.Instance);
        for (var i = 0; i < 60; i++)
        {
            var key = string.Join(
                '/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Pick(Words))) + (random.OneIn(6) ? "/" : "");
            if ((await rig.RunAsync("PUT", $"/bucket/{key}", key.EndsWith('/') ? "" : "x")).Status == 200) keys.Add(key);
        }

        Assert.InRange(keys.Count, 20, 60);
        return keys;
    }

    static async Task<List<string>> ListAsync(ObjectLister lister, ObjectListing listing)
    {
        var lines = new List<string>();
        // One that goes round in circles is wrong, too.
        while (lines.Count < 200)
        {
            var page = await lister.ListAsync(listing, default);
            lines.AddRange(page.Names.Select(name => name.IsPrefix ? name.Name + "*" : name.Name));
            if (page.Next is null) break;
            listing = listing with { After = page.Next };
        }

        return lines;
    }

    static List<string> Model(SortedSet<string> keys, string prefix, string delimiter, string after)
    {
        var lines = new List<string>();
        foreach (var key in keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal) || Utf8Order.Instance.Compare(key, after) <= 0) continue;
            var at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var line = at < 0 ? key : key[..(at + delimiter.Length)] + "*";
            // A page that goes on behind a common prefix does not give it again.
            if (at >= 0 && line[..^1] == after) continue;
            if (lines.Count == 0 || lines[^1] != line) lines.Add(line);
        }

        return lines;
    }

    static async Task<List<string>> ListV2Async(S3Rig rig, string prefix, string delimiter, int limit, string after)
    {
        var lines = new List<string>();
        string? token = null;
        do
        {
            var call = Begin(rig, prefix, delimiter, limit).Ask("list-type", "2");
            call = token is not null ? call.Ask("continuation-token", token) : after.Length > 0 ? call.Ask("start-after", after) : call;
            var page = (await rig.RunAsync(call)).Must(200);
            Add(lines, page, limit);
            token = page.All("NextContinuationToken").SingleOrDefault();
            Assert.Equal(token is null ? "false" : "true", page.One("IsTruncated"));
        }
        while (token is not null);
        return lines;
    }

    static async Task<List<string>> ListV1Async(S3Rig rig, string prefix, string delimiter, int limit, string after)
    {
        var lines = new List<string>();
        while (true)
        {
            var page = (await rig.RunAsync(Begin(rig, prefix, delimiter, limit).Ask("marker", after))).Must(200);
            Add(lines, page, limit);
            if (page.One("IsTruncated") == "false") return lines;
            // Without a delimiter clients take the last key.
            after = page.All("NextMarker").SingleOrDefault() ?? lines[^1];
        }
    }

    static async Task<List<string>> ListVersionsAsync(S3Rig rig, string prefix, string delimiter, int limit, string after)
    {
        var lines = new List<string>();
        while (true)
        {
            var page = (await rig.RunAsync(Begin(rig, prefix, delimiter, limit).Ask("versions").Ask("key-marker", after))).Must(200);
            Add(lines, page, limit);
            if (page.One("IsTruncated") == "false") return lines;
            after = page.One("NextKeyMarker");
        }
    }

    static S3Call Begin(S3Rig rig, string prefix, string delimiter, int limit) => rig.Call("GET", "/bucket")
        .Ask("prefix", prefix).Ask("delimiter", delimiter).Ask(
            "max-keys", limit.ToString(System.Globalization.CultureInfo.InvariantCulture));

    static void Add(List<string> lines, RawResponse page, int limit)
    {
        var prefixes = page.Xml.Elements().Where(element => element.Name.LocalName == "CommonPrefixes").Select(
            element => element.Value + "*");
        var found = page.All("Key").Concat(prefixes).Order(Utf8Order.Instance).ToArray();
        Assert.InRange(found.Length, 0, limit);
        lines.AddRange(found);
    }

    /// <summary>A store whose listings are asked for something else.</summary>
    class FaultyNames : DispatchProxy
    {
        INamespace inner = null!;
        Func<ListRequest, ListRequest> change = null!;
        int calls;

        public static INamespace Over(INamespace inner, Func<ListRequest, ListRequest> change)
        {
            var proxy = Create<INamespace, FaultyNames>();
            (((FaultyNames)(object)proxy).inner, ((FaultyNames)(object)proxy).change) = (inner, change);
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (++calls > 20_000) throw new TimeoutException("the listing goes round in circles");
            if (targetMethod!.Name == nameof(INamespace.ListAsync)) args![1] = change((ListRequest)args[1]!);
            return targetMethod.Invoke(inner, args);
        }
    }

    sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!));
    }
}
