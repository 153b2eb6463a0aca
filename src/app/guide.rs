//! The user guide: a page for each page of the window, the same files as in the package.

use std::collections::BTreeMap;

use eframe::egui::{
    Color32, ColorImage, Context, FocusDirection, Image, Key, Modifiers, RichText, Role,
    TextureHandle, TextureOptions, Ui, Vec2,
};
use eframe::icon_data;
use egui_commonmark::{CommonMarkCache, CommonMarkViewer};

use crate::pages::commands;
use crate::pages::settings::VERSION;
use crate::ui::layout::scroll_ui;
use crate::ui::widgets::dialog_ui;

/// Makes a table of the files of the guide, with their contents.
macro_rules! files {
    ($include:ident: $($file:literal),+) => {
        &[$(($file, $include!(concat!("../../assets/guide/", $file)))),+]
    };
}

const PAGES: &[(&str, &str)] = files!(include_str: "workbench.md", "timeline.md", "two-runs.md", "who-waits.md", "lessons.md", "freeze-lab.md", "settings.md");
const PICTURES: &[(&str, &[u8])] =
    files!(include_bytes: "job.png", "ring.png", "lanes.png", "report.png");

const WIDTH: f32 = 640.0;
const MAX_HEIGHT: f32 = 660.0;
const MIN_HEIGHT: f32 = 60.0;
/// The height of all that is not text: the title, the button, and the space around them.
const AROUND: f32 = 150.0;
/// How far an arrow key scrolls.
const LINE: f32 = 40.0;

/// The guide, open at a page.
pub(super) struct Guide {
    title: &'static str,
    blocks: Vec<Block>,
    links: CommonMarkCache,
    pictures: BTreeMap<&'static str, TextureHandle>,
}

/// What an empty line ends.
enum Block {
    Heading(&'static str),
    Picture {
        file: &'static str,
        description: &'static str,
    },
    Text(&'static str),
}

impl Block {
    /// Headings and pictures are drawn here: the library says nothing of them to a screen reader.
    fn new(text: &'static str) -> Self {
        let picture = text.trim_end().strip_prefix("![");
        let picture = picture.and_then(|rest| rest.strip_suffix(')')?.split_once("]("));
        match (text.strip_prefix("## "), picture) {
            (Some(heading), _) => Self::Heading(heading),
            (None, Some((description, file))) => Self::Picture { file, description },
            (None, None) => Self::Text(text),
        }
    }
}

/// What the user does with the guide.
pub(super) enum Turn {
    To(&'static str),
    Close,
}

impl Guide {
    /// Opens the page that is in this file.
    pub(super) fn open(file: &str) -> Self {
        let page = PAGES.iter().find(|(name, _)| *name == file);
        let (_, text) = page.unwrap_or(&PAGES[0]);
        let (title, text) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut links = CommonMarkCache::default();
        for (file, _) in PAGES {
            links.add_link_hook(*file);
        }
        Self {
            title: title.trim_start_matches("# "),
            blocks: text.split("\n\n").map(Block::new).collect(),
            links,
            pictures: BTreeMap::new(),
        }
    }

    /// Draws the page in front of everything else.
    pub(super) fn ui(&mut self, ui: &Ui) -> Option<Turn> {
        let room = ui.ctx().content_rect().height() - AROUND;
        let mut turn = None;
        let modal = dialog_ui(self.title, WIDTH, ui, |ui| {
            let height = room.clamp(MIN_HEIGHT, MAX_HEIGHT);
            ui.allocate_ui(Vec2::new(ui.available_width(), height), |ui| {
                ui.set_max_height(height);
                scroll_ui(self.title, ui, |ui| {
                    scroll_by_keys(height, ui);
                    turn = self.blocks_ui(ui).map(Turn::To);
                });
            });
            ui.add_space(4.0);
            ui.horizontal(|ui| {
                let close = commands::info(commands::CLOSE_GUIDE).button(None, ui);
                if close.clicked() {
                    turn = Some(Turn::Close);
                }
                if ui.memory(|memory| memory.focused().is_none()) {
                    close.request_focus();
                }
                let version = format!("Meanwhile {VERSION}");
                ui.label(RichText::new(version).weak());
            });
        });
        turn.or_else(|| modal.backdrop_response.clicked().then_some(Turn::Close))
    }

    /// Returns the page to which the user follows a link.
    fn blocks_ui(&mut self, ui: &mut Ui) -> Option<&'static str> {
        let mut followed = None;
        for block in &self.blocks {
            match block {
                Block::Heading(text) => heading_ui(text, ui),
                Block::Picture { file, description } => {
                    if let Some(picture) = picture(file, &mut self.pictures, ui.ctx()) {
                        let mut image = Image::new(picture).alt_text(*description);
                        if ui.visuals().dark_mode {
                            // The pictures are light, and would dazzle.
                            image = image.tint(Color32::from_gray(200));
                        }
                        ui.add(image.max_width(ui.available_width()));
                    }
                }
                Block::Text(text) => {
                    CommonMarkViewer::new().show(ui, &mut self.links, text);
                    // The next text forgets it.
                    let mut files = PAGES.iter().map(|(file, _)| *file);
                    let is_followed = |file: &&str| self.links.get_link_hook(file) == Some(true);
                    followed = followed.or(files.find(is_followed));
                }
            }
            ui.add_space(6.0);
        }
        followed
    }
}

fn heading_ui(text: &str, ui: &mut Ui) {
    let heading = ui.label(RichText::new(text).size(15.0).strong());
    ui.ctx().accesskit_node_builder(heading.id, |node| {
        node.set_role(Role::Heading);
        // Of a label, egui says the text as its value.
        node.clear_value();
        node.set_label(text);
        node.set_level(2);
    });
}

/// A picture of the guide. Its first use decodes it.
fn picture<'a>(
    file: &'static str,
    pictures: &'a mut BTreeMap<&'static str, TextureHandle>,
    ctx: &Context,
) -> Option<&'a TextureHandle> {
    if !pictures.contains_key(file) {
        let (_, bytes) = PICTURES.iter().find(|(name, _)| *name == file)?;
        let decoded = icon_data::from_png_bytes(bytes).ok()?;
        let size = [decoded.width, decoded.height].map(|length| length as usize);
        let image = ColorImage::from_rgba_unmultiplied(size, &decoded.rgba);
        pictures.insert(file, ctx.load_texture(file, image, TextureOptions::LINEAR));
    }
    pictures.get(file)
}

/// Without this the arrows would go to what is nearest, also out of sight.
fn scroll_by_keys(height: f32, ui: &Ui) {
    let whole = 1e6;
    for (key, distance) in [
        (Key::ArrowDown, -LINE),
        (Key::ArrowUp, LINE),
        (Key::PageDown, LINE - height),
        (Key::PageUp, height - LINE),
        (Key::End, -whole),
        (Key::Home, whole),
    ] {
        let presses = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        if presses > 0 {
            ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
            let distance = distance * presses as f32;
            ui.scroll_with_delta(Vec2::new(0.0, distance));
        }
    }
}
