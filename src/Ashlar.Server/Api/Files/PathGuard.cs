using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>
/// Refuses paths with <c>.</c> and <c>..</c>, however they are encoded: the web server would resolve them, and the request would be about
/// something else than was written.
/// </summary>
sealed class PathGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        foreach (var part in RawTarget.PathOf(context).Split('/'))
        {
            if (part.Length > 0 && part.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase) is "." or "..")
                throw new ApiException(ProblemKind.InvalidPath, "Not a path: a component is . or ..");
        }

        return next(context);
    }
}
