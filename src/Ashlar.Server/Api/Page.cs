using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>Which part of a list is asked for: so many items, those behind a name. Items may come and go between two pages.</summary>
/// <param name="Limit">How many items at most.</param>
/// <param name="After">The name behind which it begins; null for the beginning.</param>
readonly record struct Page(int Limit, string? After)
{
    /// <summary>Most items of one answer, and as many as there are without a limit.</summary>
    public const int MaxItems = 1000;

    const string LimitParameter = "limit", AfterParameter = "after";

    /// <summary>The query parameters of a list.</summary>
    public static readonly QueryParameter[] Parameters =
    [
        new(LimitParameter, JsonSchemaType.Integer, $"Most items of the answer, 1 to {MaxItems}"),
        new(AfterParameter, JsonSchemaType.String, "Where the page before ended: as it stands in its next"),
    ];

    /// <summary>What a request asks for.</summary>
    /// <exception cref="ApiException">It is not a page of a list.</exception>
    public static Page Of(HttpRequest request)
    {
        var limit = MaxItems;
        if (request.Query.TryGetValue(LimitParameter, out var limitText)
            && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxItems))
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"'{limitText}' is not a value of '{LimitParameter}': a number from 1 to {MaxItems}");
        }
        return new(limit, request.Query.TryGetValue(AfterParameter, out var token) ? Decode(token.ToString()) : null);
    }

    /// <summary>The items of the page; when more follow, says in the headers where, and returns it.</summary>
    /// <param name="all">The whole list, in the order of its names.</param>
    /// <param name="nameOf">The name of an item.</param>
    /// <param name="context">Whose request it is.</param>
    /// <param name="filter">Parameters that the page that follows has as well: "&amp;label=a".</param>
    public (IReadOnlyList<T> Items, string? Next) Take<T>(
        IEnumerable<T> all, Func<T, string> nameOf, HttpContext context, string filter = "")
    {
        var after = After;
        var rest = after is null ? all : all.SkipWhile(item => string.CompareOrdinal(nameOf(item), after) <= 0);
        T[] found = [.. rest.Take(Limit + 1)];
        if (found.Length <= Limit) return (found, null);
        T[] items = found[..Limit];
        var token = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(nameOf(items[^1])));
        var next = string.Create(
            CultureInfo.InvariantCulture,
            $"{context.Request.Path.ToUriComponent()}?{LimitParameter}={Limit}&{AfterParameter}={token}{filter}");
        context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return (items, next);
    }

    static string Decode(string token)
    {
        try
        {
            if (token.Length > 0) return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Base64Url.DecodeFromChars(token));
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            // Said below.
        }
        throw new ApiException(
            ProblemKind.InvalidRequest, $"'{token}' is not a value of '{AfterParameter}': take it as it stands in 'next' of a list");
    }
}
