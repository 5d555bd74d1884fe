using System.Globalization;
using System.Net.Http.Json;
using Ashlar.Api;

namespace Ashlar.Server.Tests.Api;

/// <summary>A list comes in pages, in the order of its names.</summary>
public sealed class PagingTests : ServedApi
{
    const string Volumes = "/v1/pools/main/volumes";

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Every_item_is_on_one_page(int limit)
    {
        await CreateAsync(7);
        var (names, pages) = await ReadAsync($"{Volumes}?limit={limit}");
        Assert.Equal(Names(7), names);
        Assert.Equal((7 + limit - 1) / limit, pages);
    }

    [Fact]
    public async Task What_comes_and_goes_between_two_pages_moves_nothing_else()
    {
        await CreateAsync(6);
        var first = await GetAsync($"{Volumes}?limit=3");
        await Http.DeleteAsync($"{Volumes}/{Names(6)[2]}"); // That behind which the next page begins.
        await Http.DeleteAsync($"{Volumes}/{Names(6)[0]}");
        await CreateAsync("aaa");
        var second = await GetAsync(first.Next!);
        Assert.Equal(Names(6)[3..], second.Items.Select(volume => volume.Name));
        Assert.Null(second.Next);
    }

    [Fact]
    public async Task The_next_page_stands_in_the_headers_too()
    {
        await CreateAsync(2);
        using var response = await Http.GetAsync($"{Volumes}?limit=1");
        var page = await response.Content.ReadFromJsonAsync(ApiJson.Strict.VolumeList);
        Assert.Equal($"<{page!.Next}>; rel=\"next\"", Assert.Single(response.Headers.GetValues("Link")));
        Assert.False((await Http.GetAsync(page.Next)).Headers.Contains("Link"));
    }

    [Fact]
    public async Task An_answer_has_a_thousand_items_at_most_and_the_command_line_lists_all()
    {
        await CreateAsync(1001);
        Assert.Equal(1000, (await GetAsync(Volumes)).Items.Count);
        var listed = await Server.CallAsync("volume", "list", "-o", "name");
        Assert.Equal(Names(1001), listed.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    static string[] Names(int count) =>
        [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"vm{i:D4}"))];

    async Task CreateAsync(int count)
    {
        foreach (var name in Names(count).Reverse()) await CreateAsync(name);
    }

    async Task CreateAsync(string name)
    {
        var request = new CreateVolume { Name = name, SizeBytes = 512 };
        using var response = await Http.PostAsJsonAsync(Volumes, request, ApiJson.Strict.CreateVolume);
        response.EnsureSuccessStatusCode();
    }

    async Task<VolumeList> GetAsync(string url) => (await Http.GetFromJsonAsync(url, ApiJson.Strict.VolumeList))!;

    async Task<(IReadOnlyList<string> Names, int Pages)> ReadAsync(string url)
    {
        var names = new List<string>();
        var pages = 0;
        for (string? next = url; next is not null; pages++)
        {
            var page = await GetAsync(next);
            names.AddRange(page.Items.Select(volume => volume.Name));
            Assert.True(pages <= 100, "the list does not end");
            next = page.Next;
        }
        return (names, pages);
    }
}
