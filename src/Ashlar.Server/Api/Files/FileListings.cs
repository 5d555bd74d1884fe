using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Ashlar.Api;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>What is in a directory, in pages.</summary>
static class FileListings
{
    public static readonly QueryParameter Recursive =
        new("recursive", JsonSchemaType.Boolean, "With all that lies below, directories too; of a directory");

    /// <summary>A page of what is in a directory.</summary>
    public static async Task<FileListing> ReadAsync(
        FileStore store, CustomerId customer, FilePath path, bool isRecursive, HttpContext context)
    {
        var page = Page.Of(context.Request);
        var request = new ListRequest
        {
            Prefix = path.ChildPrefix,
            IsRecursive = isRecursive,
            After = AfterOf(page),
            Limit = page.Limit,
        };
        var found = await store.Metadata.ListAsync(customer, request, context.RequestAborted);
        var items = found.Entries.Select(entry => FileAnswers.Entry(entry)).ToArray();
        return new()
        {
            Path = path.ToString(),
            Items = items,
            Next = NextOf(found.Next, page.Limit, isRecursive ? $"&{Recursive.Name}=true" : "", context),
        };
    }

    /// <summary>Where a page begins.</summary>
    public static ReadOnlyMemory<byte> AfterOf(Page page) => page.After is { } after ? Encoding.UTF8.GetBytes(after) : default;

    /// <summary>Where the next page is, which the headers say as well; null if this is the last.</summary>
    public static string? NextOf(ReadOnlyMemory<byte> after, int limit, string filter, HttpContext context)
    {
        if (after.IsEmpty) return null;
        // The path as it was sent: what the web server made of it may be another one.
        var next = string.Create(
            CultureInfo.InvariantCulture,
            $"{RawTarget.PathOf(context)}?limit={limit}&after={Base64Url.EncodeToString(after.Span)}{filter}");
        context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return next;
    }
}
