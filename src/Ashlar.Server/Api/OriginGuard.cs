using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>
/// Keeps web pages out. The API asks nobody who they are, so a browser on the same machine is the way in for strangers: a
/// page may send writes across origins, and may have its own host name resolve to this machine (DNS rebinding).
/// </summary>
sealed class OriginGuard(RequestDelegate next, HostNames hosts)
{
    static readonly ProblemKind ForeignHost = ProblemKind.ForeignOrigin.WithStatus(StatusCodes.Status421MisdirectedRequest);

    public Task InvokeAsync(HttpContext context)
    {
        // A load balancer's probe may come without a name (HTTP/1.0), and what it is told is no secret.
        var isProbe = StatusRoutes.IsProbe(context.Request.Path);
        var host = context.Request.Host.Host;
        if (!isProbe && !hosts.Includes(host))
        {
            throw new ApiException(ForeignHost, $"'{host}' is not a name of this server")
            {
                Hint = host.Length > 0 ? $"if it is one, start the server with --allow-host {host}" : null,
            };
        }
        var isWrite = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        if (isWrite && IsCrossOrigin(context.Request))
            throw new ApiException(ProblemKind.ForeignOrigin, "web pages of other origins may not change anything");
        return next(context);
    }

    static bool IsCrossOrigin(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site) && site != "same-origin" && site != "none") return true;
        return request.Headers.TryGetValue(HeaderNames.Origin, out var origin) && !IsOf(request, origin.ToString());
    }

    // Of a proxy that speaks TLS to the browser the scheme is another one, the host is not.
    static bool IsOf(HttpRequest request, string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https"
        && (string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)
            || string.Equals($"{uri.Host}:{uri.Port}", request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
