using System.Security.Cryptography;
using System.Text;
using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>Who asks for files: whose they are, and what he may do.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="User">The user whose key it is.</param>
sealed record KeyHolder(Customer Customer, User User);

/// <summary>What a key must allow for a route.</summary>
sealed record RequiredRights(FileRights Rights);

/// <summary>
/// Lets nobody to routes of files who does not show a key of their customer that allows what they do. What a request is told does not
/// depend on whether a key or a customer is there.
/// </summary>
sealed class KeyGuard(RequestDelegate next, FileStores files)
{
    const string Scheme = "Bearer ";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { } route && route.Metadata.GetMetadata<RequiredRights>() is { } required)
        {
            FileMeter.Call(context, route);
            context.Features.Set(await AdmitAsync(context, files.Get(), required.Rights));
        }

        await next(context);
    }

    static async Task<KeyHolder> AdmitAsync(HttpContext context, FileStore store, FileRights rights)
    {
        var name = context.Request.RouteValues["customer"] as string ?? "";
        if (await FindUserAsync(context.Request, store) is not { } user)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"ashlar\"";
            throw new ApiException(ProblemKind.Unauthenticated, "the request has no key, or one that is not valid")
            {
                Hint = "send it as 'Authorization: Bearer ID:SECRET'",
            };
        }

        var customer = await store.Metadata.FindCustomerAsync(name);
        if (customer is null || customer.Id != user.Customer)
            throw new ApiException(ProblemKind.Forbidden, $"the key is not one of customer '{name}'");
        return (user.Rights & rights) == rights
            ? new(customer, user)
            : throw new ApiException(ProblemKind.Forbidden, $"user {user.Name} may not do that: it needs {FileAnswers.Names(rights)[0]}");
    }

    static async Task<User?> FindUserAsync(HttpRequest request, FileStore store)
    {
        var headers = request.Headers[HeaderNames.Authorization];
        if (headers is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var credentials = header.AsSpan(Scheme.Length).Trim();
        if (credentials.IndexOf(':') is not (> 0 and var colon)) return null;
        var key = await store.Metadata.FindKeyAsync(credentials[..colon].ToString());
        // One that is not there is compared, too.
        var isRight = CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(header.AsSpan(Scheme.Length).Trim()[(colon + 1)..].ToString())),
            SHA256.HashData(Encoding.UTF8.GetBytes(key?.Secret ?? "")));
        if (!isRight || key is null || key.ExpiresAt <= store.Options.TimeProvider.GetUtcNow()) return null;
        return await store.Metadata.FindUserAsync(key.Customer, key.User);
    }
}

/// <summary>Says what a key must allow for a route.</summary>
static class KeyGuardExtensions
{
    public static RouteHandlerBuilder RequireKey(this RouteHandlerBuilder route, FileRights rights) =>
        route.WithMetadata(new RequiredRights(rights));

    /// <summary>Who asks, on a route that requires a key.</summary>
    public static KeyHolder Holder(this HttpContext context) => context.Features.GetRequiredFeature<KeyHolder>();
}
