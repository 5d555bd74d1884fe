using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Server;

/// <summary>
/// Keeps web pages out. The API asks nobody who they are, so a browser on the same machine is the way in for strangers: a
/// page may send writes across origins, and may have its own host name resolve to this machine (DNS rebinding).
/// </summary>
sealed class OriginGuard(RequestDelegate next, IPAddress listen)
{
    static readonly ProblemKind ForeignHost = ProblemKind.ForeignOrigin.WithStatus(StatusCodes.Status421MisdirectedRequest);

    public Task InvokeAsync(HttpContext context)
    {
        // A load balancer's probe may come without a name (HTTP/1.0), and what it is told is no secret.
        var isProbe = StatusRoutes.IsProbe(context.Request.Path);
        var host = context.Request.Host.Host;
        if (!isProbe && !IsOurs(host)) throw new ApiException(ForeignHost, $"'{host}' is not a name of this server");
        var isWrite = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        if (isWrite && IsCrossOrigin(context.Request))
            throw new ApiException(ProblemKind.ForeignOrigin, "web pages of other origins may not change anything");
        return next(context);
    }

    // An address in the Host header cannot be rebound, but only ours is expected; listening everywhere, any may be ours.
    bool IsOurs(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        if (!IPAddress.TryParse(host, out var address)) return false;
        return IPAddress.IsLoopback(address) || address.Equals(listen)
            || listen.Equals(IPAddress.Any) || listen.Equals(IPAddress.IPv6Any);
    }

    static bool IsCrossOrigin(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site) && site != "same-origin" && site != "none") return true;
        return request.Headers.TryGetValue(HeaderNames.Origin, out var origin)
            && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
