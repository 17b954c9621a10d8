/** The projects that sessions can be filed under. */

import { sentenceOf, type Client } from "../wire/client";
import type { Project, ProjectAnswer, ProjectList } from "../wire/types";

export class Projects {
  list = $state.raw<readonly Project[]>([]);
  /** The names of the colours there are; themes give them values. */
  colors = $state.raw<readonly string[]>([]);

  constructor(private readonly client: Client) {}

  find(projectId: string | null): Project | undefined {
    return this.list.find((project) => project.project_id === projectId);
  }

  async load(): Promise<void> {
    try {
      const { projects, colors } = await this.client.get<ProjectList>("/api/projects");
      this.list = projects;
      this.colors = colors;
    } catch (error) {
      sentenceOf(error); // those known stay; the next change asks again
    }
  }

  async create(name: string): Promise<Project> {
    const { project } = await this.client.post<ProjectAnswer>("/api/projects/create", { name });
    await this.load();
    return project;
  }

  async change(projectId: string, fields: { name?: string; color?: string }): Promise<void> {
    await this.client.post("/api/projects/change", { project_id: projectId, ...fields });
    await this.load();
  }

  async remove(projectId: string): Promise<void> {
    await this.client.post("/api/projects/delete", { project_id: projectId });
    await this.load();
  }
}
